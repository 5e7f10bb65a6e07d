/**
 * One HTTP request that carries calls, and its response.
 *
 * @module
 */

import { type Code, MpError } from "../errors.ts";
import { deadlines, Timed } from "../peer/deadlines.ts";
import { type Decoded, decodeText, decodeValue, notJson } from "./decode.ts";
import type { Endpoint } from "./endpoint.ts";
import { idempotencyKeyProblem } from "./idempotency_key.ts";
import type { RpcLimits } from "./limits.ts";
import type { CallMeta } from "./rpc_service.ts";

/** Ends what a caller sends. */
export interface BodyCutOff {
  /**
   * @param callerPort The caller's port.
   * @param onMissing Called when it cannot be ended.
   */
  end(callerPort: number, onMissing: () => void): void;
}

/** What all exchanges of an endpoint share. */
export interface ExchangeHost {
  readonly endpoint: Endpoint;
  readonly limits: RpcLimits;
  /**
   * Ends bodies that do not come in time, where that can be done: Deno 2.8.3 never ends a read that the
   * response overtakes, nor gives back what it holds for it.
   */
  readonly cutOff?: BodyCutOff;
  /**
   * Makes the response that carries a reply, or none when it is empty.
   *
   * @param headers Headers besides that of its type.
   */
  respond(reply: string, status?: number, headers?: Readonly<Record<string, string>>): Response;
}

// What says that it is longer is given memory only as it comes.
const AT_ONCE = 64 * 1024;
const MAX_REQUEST_ID = 128;

/** Where a request comes from. */
export interface CallerInfo {
  readonly remoteAddr: Deno.Addr;
}

/**
 * Reads a body within the limits, has it answered, and makes the response. It is at once the entry of
 * the timing wheel by which slow bodies are cut off and the meta data of the calls, so that a request
 * costs one object.
 */
export class Exchange extends Timed implements CallMeta {
  challenge: string | undefined;
  retryAfter: number | undefined;
  arrived = 0;
  #request: Request;
  #info: CallerInfo | undefined;
  #host: ExchangeHost;
  #resolve!: (response: Response) => void;
  #reject!: (error: unknown) => void;
  #isTimed: boolean;
  #settled = false;
  #late = false;
  #reader: ReadableStreamDefaultReader | ReadableStreamBYOBReader | undefined;

  /**
   * To be made before anybody looks at the headers.
   *
   * @param request Nobody has read its body yet.
   * @param info Where it comes from, if that is known.
   */
  constructor(request: Request, info: CallerInfo | undefined, host: ExchangeHost) {
    super();
    this.#request = request;
    this.#info = info;
    this.#host = host;
    // has() has Deno take all headers over at once, which it does in any case before the response leaves.
    // Were get() the first, each would be fetched from the server one by one until then.
    this.#isTimed = request.headers.has("x-timeout-ms");
  }

  /**
   * Answers the request.
   *
   * @returns The response. Whatever the caller did, it does not reject.
   */
  answer(): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#read();
    });
  }

  #read(): void {
    const { maxBody, maxDepth, bodyTimeout } = this.#limits;
    const header = this.#request.headers.get("content-length");
    const length = header === null ? NaN : Number(header);
    if (length > maxBody) return this.#tooLarge();
    deadlines.addRoughly(this, bodyTimeout);
    const failed = (error: unknown) => this.#unread(error);
    if (length <= 2 * maxDepth) {
      // So small a body cannot be too deep, and json() takes one that came together with its headers
      // (Deno reads 1 KiB ahead) without making a stream or an array of bytes of it: the whole
      // endpoint is faster by a fifth.
      this.#request.json().then((value) => this.#answer(decodeValue(value, this.#limits)), failed);
    } else {
      const text = length <= AT_ONCE ? this.#readAtOnce(length) : this.#readInParts();
      text.then((text) => {
        if (text === undefined) this.#tooLarge();
        else this.#answer(decodeText(text, this.#limits));
      }, failed);
    }
  }

  /** Reads a body of known length into one buffer, which is faster than text() by a quarter. */
  async #readAtOnce(length: number): Promise<string | undefined> {
    const reader = byteReader(this.#request.body);
    if (reader === undefined) return await this.#readInParts();
    this.#reader = reader;
    const { value } = await reader.read(new Uint8Array(length), { min: length });
    if (value?.byteLength !== length) throw new TypeError("The body ended early");
    return textDecoder().decode(value);
  }

  /** Reads a body, but no more of it than is allowed; `undefined` when that is not all. */
  async #readInParts(): Promise<string | undefined> {
    const decoder = textDecoder();
    const reader = this.#request.body?.getReader();
    this.#reader = reader;
    let text = "";
    let length = 0;
    for (;;) {
      const { done, value } = await reader?.read() ?? { done: true, value: undefined };
      if (done) return text + decoder.decode();
      length += value.byteLength;
      if (length > this.#limits.maxBody) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  }

  get #limits(): RpcLimits {
    return this.#host.limits;
  }

  #answer(decoded: Decoded): void {
    if (!this.#settle()) return;
    this.arrived = performance.now();
    try {
      const reply = this.#host.endpoint.answer(decoded, this);
      const isBatch = Array.isArray(decoded);
      if (typeof reply === "string") this.#respond(reply, isBatch);
      else reply.then((text) => this.#respond(text, isBatch)).catch(this.#reject);
    } catch (error) {
      this.#reject(error);
    }
  }

  #respond(reply: string, isBatch: boolean): void {
    const { challenge, retryAfter } = this;
    this.#resolve(
      isBatch || (challenge === undefined && retryAfter === undefined)
        ? this.#host.respond(reply)
        : challenge !== undefined
        ? this.#host.respond(reply, 401, { "www-authenticate": challenge })
        : this.#host.respond(reply, 503, { "retry-after": String(Math.ceil(retryAfter! / 1000)) }),
    );
  }

  #unread(error: unknown): void {
    if (this.#late) this.#refuseLate();
    else if (error instanceof SyntaxError) this.#answer(notJson(error));
    else this.#refuse(400, "parse_error", "its body ended early");
  }

  #tooLarge(): void {
    const { maxBody } = this.#limits;
    this.#refuse(413, "request_too_large", `its body is longer than ${maxBody} bytes`);
  }

  override expire(): void {
    const { cutOff } = this.#host;
    const caller = this.#info?.remoteAddr;
    if (cutOff === undefined || caller?.transport !== "tcp") return this.#refuseLate();
    // it is refused when its body has ended
    this.#late = true;
    cutOff.end(caller.port, () => this.#refuseLate());
  }

  #refuseLate(): void {
    const { bodyTimeout } = this.#limits;
    this.#refuse(408, "deadline_exceeded", `its body did not arrive within ${bodyTimeout} ms`);
  }

  #refuse(status: 400 | 408 | 413, code: Code, why: string): void {
    if (!this.#settle()) return;
    // lets go of what has come
    this.#reader?.cancel().catch(() => {});
    const error = new MpError(code, `Cannot read the request: ${why}`);
    this.#resolve(this.#host.respond(this.#host.endpoint.refuse(error), status));
  }

  /** Whether this is the first that is known of the body, whole or refused. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    deadlines.remove(this);
    return true;
  }

  get requestId(): string | undefined {
    // it goes into logs, and between replicas what is behind a space or a tab is something else
    return this.#header("x-request-id")?.slice(0, MAX_REQUEST_ID).replace(/[^\x21-\x7e]/g, "_");
  }

  get timeoutMs(): number | undefined {
    const text = this.#isTimed && this.#request.headers.get("x-timeout-ms");
    if (!text) return undefined;
    const milliseconds = Number(text);
    if (milliseconds > 0 && milliseconds < Infinity) return milliseconds;
    throw new MpError(
      "invalid_request",
      `Cannot read the header X-Timeout-Ms "${text}": it is not a positive number`,
    );
  }

  get idempotencyKey(): string | undefined {
    const key = this.#header("idempotency-key");
    const problem = key && idempotencyKeyProblem(key);
    if (!problem) return key;
    throw new MpError("invalid_request", `Cannot read the header Idempotency-Key: it ${problem}`);
  }

  get authorization(): string | undefined {
    return this.#header("authorization");
  }

  get traceparent(): string | undefined {
    return this.#header("traceparent");
  }

  get tracestate(): string | undefined {
    return this.#header("tracestate");
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  #header(name: string): string | undefined {
    const { headers } = this.#request;
    // most are absent, which is sooner told than looked up
    return headers.has(name) ? headers.get(name) || undefined : undefined;
  }
}

/** A reader into buffers, where the body is a stream of bytes that is still to come. */
function byteReader(body: ReadableStream | null): ReadableStreamBYOBReader | undefined {
  try {
    return body?.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

/** A byte order mark is no JSON; json() sees it the same way. */
function textDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
