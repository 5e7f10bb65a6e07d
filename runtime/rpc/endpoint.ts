/**
 * From decoded calls to the text of their replies.
 *
 * @module
 */

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { type Code, MpError } from "../errors.ts";
import { Payload } from "../payload.ts";
import { BatchedMeta } from "./batched_meta.ts";
import type { Decoded, DecodedCall, RefusedCall } from "./decode.ts";
import type { MethodMetrics, RpcMetrics } from "./metrics.ts";
import { batchReply, errorReply, resultReply } from "./reply.ts";
import type { CallMeta, RpcService } from "./rpc_service.ts";

/** The method by which an endpoint describes itself, as OpenRPC has it. */
export const DISCOVER = "rpc.discover";

/** Options of {@linkcode Endpoint}. */
export interface EndpointOptions {
  readonly service: RpcService;
  readonly metrics: RpcMetrics;
  /** The replica that answers, for errors that name none. */
  readonly replica?: string;
  /** Answers {@linkcode DISCOVER}. */
  readonly discover: () => unknown;
}

/** Answers calls, without a promise where the service needs none. */
export class Endpoint {
  #service: RpcService;
  #metrics: RpcMetrics;
  #replica: string | undefined;
  #discover: () => unknown;

  constructor(options: EndpointOptions) {
    this.#service = options.service;
    this.#metrics = options.metrics;
    this.#replica = options.replica;
    this.#discover = options.discover;
    this.#learnMethods();
  }

  /**
   * Answers what came in one body; the calls of a batch run at the same time.
   *
   * @returns The reply as text, empty when there is none. It never throws or rejects.
   */
  answer(decoded: Decoded, meta: CallMeta): string | Promise<string> {
    if (!isBatch(decoded)) return this.#answerOne(decoded, meta);
    const metas = metasOf(meta);
    const replies = decoded.map((call, i) => this.#answerOne(call, metas(i)));
    return replies.some((reply) => typeof reply !== "string")
      ? Promise.all(replies).then(batchReply)
      : batchReply(replies as string[]);
  }

  /** The reply to what could not be read. */
  refuse(error: MpError): string {
    this.#metrics.refuse(error.code);
    return errorReply(null, error, { replica: this.#replica });
  }

  #answerOne(call: DecodedCall | RefusedCall, meta: CallMeta): string | Promise<string> {
    if (call.error !== undefined) {
      this.#metrics.refuse(call.error.code);
      return errorReply(call.id, call.error, { replica: this.#replica });
    }
    const metrics = this.#metrics.get(call.method) ?? this.#meet(call.method);
    if (metrics === undefined) return this.#answerUnknown(call);
    metrics.begin();
    let result: Promise<Payload> | Payload;
    try {
      result = this.#call(call, meta);
    } catch (error) {
      return this.#failed(error, call, meta, metrics);
    }
    return result instanceof Payload
      ? this.#done(result, call, meta, metrics)
      : this.#doneLater(result, call, meta, metrics);
  }

  /** Apart, since a function that may make closures costs what they hold on to even when it makes none. */
  #doneLater(
    result: Promise<Payload>,
    call: DecodedCall,
    meta: CallMeta,
    metrics: MethodMetrics,
  ): Promise<string> {
    return result.then(
      (result) => this.#done(result, call, meta, metrics),
      (error) => this.#failed(error, call, meta, metrics),
    );
  }

  #done(result: Payload, call: DecodedCall, meta: CallMeta, metrics: MethodMetrics): string {
    let reply: string;
    try {
      const { text } = result;
      reply = call.id === undefined ? "" : resultReply(call.id, text);
    } catch (error) {
      return this.#failed(error, call, meta, metrics);
    }
    metrics.end(meta.arrived);
    return reply;
  }

  #failed(error: unknown, call: DecodedCall, meta: CallMeta, metrics: MethodMetrics): string {
    metrics.end(meta.arrived);
    metrics.fail(codeOf(error));
    if (codeOf(error) === "overloaded") meta.retryAfter = (error as MpError).retryAfter ?? 1000;
    return this.#errorReply(call, error);
  }

  #call({ method, request }: DecodedCall, meta: CallMeta): Promise<Payload> | Payload {
    if (method === DISCOVER) return Payload.of(this.#discover());
    return this.#service.call(method, Payload.of(request), meta);
  }

  #errorReply({ id, method }: DecodedCall, error: unknown): string {
    if (id === undefined) return "";
    return errorReply(id, error, { service: method, replica: this.#replica });
  }

  #answerUnknown(call: DecodedCall): string {
    this.#metrics.refuse("method_not_found");
    if (call.id === undefined) return "";
    const error = unknownMethod(call.method, this.#methods());
    return errorReply(call.id, error, { replica: this.#replica });
  }

  /** The counters of a method that may have been added since the methods were last asked for. */
  #meet(method: string) {
    this.#learnMethods();
    return this.#metrics.get(method);
  }

  #learnMethods(): void {
    for (const name of this.#methods()) this.#metrics.add(name);
  }

  #methods(): string[] {
    return [...Array.from(this.#service.methods(), ({ name }) => name), DISCOVER];
  }
}

/** What was said about each call of a batch. */
function metasOf(meta: CallMeta): (place: number) => CallMeta {
  let key: string | undefined;
  try {
    key = meta.idempotencyKey;
  } catch {
    // each call is answered that it cannot be read
  }
  return key === undefined ? () => meta : (place) => new BatchedMeta(meta, key, place);
}

function isBatch(decoded: Decoded): decoded is readonly (DecodedCall | RefusedCall)[] {
  return Array.isArray(decoded);
}

function codeOf(error: unknown): Code {
  return error instanceof MpError ? error.code : "handler_failed";
}

const LONGEST_NAME = 63;

function unknownMethod(method: string, methods: string[]): MpError {
  // a caller may send megabytes as a name
  const short = method.length <= LONGEST_NAME;
  const shown = JSON.stringify(short ? method : `${method.slice(0, LONGEST_NAME)}…`);
  const near = closestString(short ? method : "", methods);
  const isNear = short && levenshteinDistance(method, near) <= Math.ceil(near.length / 3);
  return new MpError(
    "method_not_found",
    `Cannot call ${shown}: there is no such method` + (isNear ? `; did you mean "${near}"?` : ""),
  );
}
