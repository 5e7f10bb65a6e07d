/**
 * One long-lived connection between two processes of a deployment, which carries many calls at once in
 * both directions.
 *
 * The wire is lines of UTF-8 text. JSON text as `JSON.stringify` writes it holds no line break and no
 * tab, so a body needs no length and no escaping, and all messages that arrive together are decoded at
 * once:
 *
 * | line | meaning |
 * |---|---|
 * | `c<id> <timeout> <target> <meta>⇥<body>` | a call that must be answered within `timeout` ms |
 * | `r<id> <body>` | its result |
 * | `e<id> <error>` | its error, as {@linkcode ErrorData} |
 * | `z<id> <error>` | its error, and that it has not been begun |
 * | `x<id>` | the caller no longer wants an answer |
 * | `g<id>` | the last: calls after this one will not be begun |
 * | `n<target> <body>` | a notice, which has no answer |
 * | `p<id>`, `q<id>` | ping and its answer |
 *
 * Messages that are sent in the same turn of the event loop, or while a write is under way, leave in
 * one write; a message that nothing else can join leaves at once. A peer that does not read makes that
 * one write wait, and what piles up behind it is bounded.
 *
 * @module
 */

import { type ErrorData, messageOf, MpError } from "../errors.ts";
import { garbled, late, notReading, tooLong, unreachable } from "./channel_errors.ts";
import type { Connection } from "./connection.ts";
import { deadlines } from "./deadlines.ts";
import { fateOf, withFate } from "./fate.ts";
import { Inbound, type InboundCall } from "./inbound_call.ts";
import { type CallHolder, type OutboundCall, PromisedCall } from "./outbound_call.ts";
import { Outbox } from "./outbox.ts";
import { readLines } from "./read_lines.ts";
import { SignOfLife } from "./sign_of_life.ts";

/** What a channel does with what arrives. */
export interface ChannelHandlers {
  /** Answers a call with a body. An `MpError` crosses the wire with its data, any other error with its message. */
  onCall?(target: string, body: string, call: InboundCall): Promise<string> | string;
  onNotice?(target: string, body: string): void;
  /** The other side begins no call that is sent from now on; what it has begun, it still answers. */
  onLast?(): void;
  /** Called once; `reason` is why, unless this side closed it. */
  onClose?(reason: MpError | undefined): void;
}

/** Options of a {@linkcode Channel}. */
export interface ChannelOptions {
  /** Who is at the other end, for messages: `histogram-service.scatter.3`. */
  name?: string;
  /** The longest message in bytes, either way. Default: 64 MiB. */
  maxMessage?: number;
  /** The most that may wait to be written, in UTF-16 units. Default: 64 Mi. */
  maxBuffered?: number;
  /** After how long an other side that owes an answer is asked for a sign of life, in milliseconds. Default: never. */
  askAfter?: number;
}

/** Options of {@linkcode Channel.call}. */
export interface CallOptions {
  /** In milliseconds. Default: 30,000. */
  timeout?: number;
  /** JSON text that goes with the call. Default: none. */
  meta?: string;
  /** Cancels the call, here and at the other end. */
  signal?: AbortSignal;
}

const MiB = 1024 * 1024;
const encoder = new TextEncoder();

/** See the module's documentation. */
export class Channel implements CallHolder {
  readonly name: string;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;

  #conn: Connection;
  #handlers: ChannelHandlers;
  #maxMessage: number;
  #maxBuffered: number;
  #calls = new Map<number, OutboundCall>();
  #inbound = new Map<number, Inbound>();
  #nextId = 1;
  /** The last call that may have left. */
  #lastSent = 0;
  /** The last call of the other side that has come. */
  #lastCome = 0;
  /** Whether the other side begins no more calls, and whether this side does not. */
  #last: "theirs" | "ours" | undefined;
  #outbox: Outbox;
  #life: SignOfLife;
  #ended = false;
  #resolveClosed!: () => void;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(conn: Connection, handlers: ChannelHandlers = {}, options: ChannelOptions = {}) {
    this.#conn = conn;
    this.#handlers = handlers;
    this.name = options.name ?? "the peer";
    this.#maxMessage = options.maxMessage ?? 64 * MiB;
    this.#maxBuffered = options.maxBuffered ?? 64 * MiB;
    this.#life = new SignOfLife(options.askAfter, () => this.#send("p0\n"));
    this.#outbox = new Outbox({
      connection: conn,
      onLeaving: () => this.#lastSent = this.#nextId - 1,
      onError: (error) => this.#end(unreachable(this.name, "disconnected", error)),
    });
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
    this.#read();
  }

  /** How many calls to the other side have no answer yet. */
  get pending(): number {
    return this.#calls.size;
  }

  /** How many calls from the other side have no answer yet. */
  get serving(): number {
    return this.#inbound.size;
  }

  /**
   * For how long the other side, which has been asked something, has not been heard of, in milliseconds. That
   * nobody waits for the answer any more makes it no less silent.
   */
  get silence(): number {
    return this.#life.silence;
  }

  /** Whether the event loop of the other side is blocked, or stopped: it does not even say that it lives. */
  get stalled(): boolean {
    return this.#life.stalled;
  }

  /** Whether the connection has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Calls the other side.
   *
   * @param target A name without white space.
   * @param body JSON text as `JSON.stringify` writes it, or nothing.
   * @throws {MpError} What the other side answered, or `replica_unreachable`, `deadline_exceeded`,
   * `cancelled`, `overloaded`, `request_too_large`.
   */
  call(target: string, body: string, options: CallOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const { timeout = 30_000, meta = "", signal } = options;
      const call = new PromisedCall(timeout, resolve, reject);
      if (signal && !call.listen(signal)) return;
      this.start(call, target, body, meta);
    });
  }

  /**
   * Calls the other side.
   *
   * @param call Hears how it ends.
   * @param target A name without white space.
   * @param body JSON text as `JSON.stringify` writes it, or nothing.
   * @param meta JSON text that goes with the call.
   */
  start(call: OutboundCall, target: string, body: string, meta: string): void {
    if (this.#ended || this.#last !== undefined) {
      const reason = this.#ended ? "disconnected" : "leaving";
      return call.fail(withFate(unreachable(this.name, reason), "unstarted"));
    }
    if (this.#outbox.length > this.#maxBuffered) return call.fail(notReading(this.name));
    call.id = this.#nextId++;
    const line = `c${call.id} ${Math.ceil(call.timeout)} ${target} ${meta}\t${body}\n`;
    if (this.#isTooLong(line)) {
      return call.fail(tooLong(`call ${this.name}: the request`, this.#maxMessage));
    }
    this.#ask(call, line);
  }

  /** Tells the other side something. What is told over a channel that has ended is lost. */
  notify(target: string, body: string): void {
    this.#sendBounded(`n${target} ${body}\n`);
  }

  /**
   * Resolves when the other side's event loop has answered.
   *
   * @param timeout In milliseconds.
   * @throws {MpError} `deadline_exceeded` or `replica_unreachable`.
   */
  async ping(timeout: number): Promise<void> {
    if (this.#ended) throw unreachable(this.name, "disconnected");
    await new Promise<string>((resolve, reject) => {
      const call = new PromisedCall(timeout, resolve, reject);
      call.id = this.#nextId++;
      this.#ask(call, `p${call.id}\n`);
    });
  }

  /** Resolves when everything that was sent so far has been handed to the system, or the channel has ended. */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  /** Resolves when no call to the other side waits for an answer, or the channel has ended. */
  async idle(): Promise<void> {
    while (this.#calls.size > 0) await (this.#idle ??= Promise.withResolvers()).promise;
  }

  /** Ends the connection. Calls without an answer fail with `replica_unreachable`. */
  close(): void {
    this.#end(undefined);
  }

  /**
   * Begins no call any more that comes from now on, and says so: whoever sent it may make it elsewhere. What
   * has been begun is answered.
   */
  last(): void {
    if (this.#last !== undefined || this.#ended) return;
    this.#last = "ours";
    this.#send(`g${this.#lastCome}\n`);
  }

  /** @internal */
  drop(call: OutboundCall): void {
    if (this.#take(call.id) !== undefined && !this.#ended) this.#send(`x${call.id}\n`);
  }

  /** @internal */
  late(call: OutboundCall): MpError {
    return late(this.name, call.timeout, this.stalled);
  }

  #ask(call: OutboundCall, line: string): void {
    const now = performance.now();
    this.#life.owe(now);
    call.holder = this;
    this.#calls.set(call.id, call);
    deadlines.add(call, call.timeout, now);
    this.#send(line);
  }

  #send(line: string): void {
    // a lone caller is not kept waiting; beside others, one write a turn costs far less than one a message
    this.#outbox.add(line, this.#calls.size <= 1 && this.#inbound.size <= 1);
  }

  /** Sends what the other side causes at will; one that causes it and never reads is given up. */
  #sendBounded(line: string): void {
    if (this.#ended) return;
    if (this.#outbox.length > this.#maxBuffered) this.#end(unreachable(this.name, "not reading"));
    else this.#send(line);
  }

  #read(): void {
    readLines(this.#conn, {
      maxLine: this.#maxMessage,
      tooLong: () => tooLong(`read from ${this.name}: a message`, this.#maxMessage),
      onPart: () => this.#life.heard(this.#calls.size > 0),
      onLines: (text) => {
        // what it still owes is known when they have been read
        this.#life.heard(false);
        this.#receive(text);
        if (!this.#ended) this.#life.settle(this.#calls.size > 0);
      },
      onEnd: (error) =>
        this.#end(
          error instanceof MpError ? error : unreachable(this.name, "disconnected", error),
        ),
    });
  }

  #receive(text: string): void {
    for (let start = 0; start < text.length && !this.#ended;) {
      const end = text.indexOf("\n", start);
      this.#line(text, start, end);
      start = end + 1;
    }
  }

  #line(text: string, start: number, end: number): void {
    switch (text.charCodeAt(start)) {
      case 99 /* c */: {
        const a = text.indexOf(" ", start);
        const b = text.indexOf(" ", a + 1);
        const c = text.indexOf(" ", b + 1);
        const d = text.indexOf("\t", c + 1);
        if (a < 0 || b < 0 || c < 0 || d < 0 || d > end) throw garbled(this.name);
        const id = this.#number(text, start, a, end);
        const timeout = +text.slice(a + 1, b);
        if (!(timeout > -Infinity)) throw garbled(this.name);
        // who sent it hears that it is not begun
        if (this.#last === "ours") return;
        this.#lastCome = id;
        const inbound = new Inbound(id, timeout, text.slice(c + 1, d));
        this.#serve(inbound, text.slice(b + 1, c), text.slice(d + 1, end));
        return;
      }
      case 114 /* r */: {
        const space = text.indexOf(" ", start);
        const id = this.#number(text, start, space, end);
        this.#take(id)?.succeed(text.slice(space + 1, end));
        return;
      }
      case 101 /* e */:
      case 122 /* z */: {
        const space = text.indexOf(" ", start);
        const id = this.#number(text, start, space, end);
        const error = this.#readError(text.slice(space + 1, end));
        if (text.charCodeAt(start) === 122) withFate(error, "unstarted");
        this.#take(id)?.fail(error);
        return;
      }
      case 120 /* x */: {
        const id = this.#number(text, start, end, end);
        const inbound = this.#inbound.get(id);
        this.#inbound.delete(id);
        inbound?.abort(new MpError("cancelled", "The caller went away"));
        return;
      }
      case 110 /* n */: {
        const space = text.indexOf(" ", start);
        if (space < 0 || space > end) throw garbled(this.name);
        this.#handlers.onNotice?.(text.slice(start + 1, space), text.slice(space + 1, end));
        return;
      }
      case 103 /* g */:
        this.#hearLast(this.#number(text, start, end, end));
        return;
      case 112 /* p */:
        this.#sendBounded(`q${this.#number(text, start, end, end)}\n`);
        return;
      case 113 /* q */:
        this.#take(this.#number(text, start, end, end))?.succeed("");
        return;
      default:
        throw garbled(this.name);
    }
  }

  /** The number between the letter at `start` and `stop`, in a line that goes to `end`. */
  #number(text: string, start: number, stop: number, end: number): number {
    const id = stop < 0 || stop > end ? NaN : +text.slice(start + 1, stop);
    if (Number.isSafeInteger(id)) return id;
    throw garbled(this.name);
  }

  #readError(text: string): MpError {
    let data: ErrorData | null;
    try {
      data = JSON.parse(text) as ErrorData | null;
    } catch {
      throw garbled(this.name);
    }
    if (typeof data?.message !== "string") throw garbled(this.name);
    return MpError.fromData(data);
  }

  #take(id: number): OutboundCall | undefined {
    const call = this.#calls.get(id);
    if (call === undefined) return undefined;
    this.#calls.delete(id);
    if (this.#idle && this.#calls.size === 0) this.#becomeIdle();
    return call;
  }

  #hearLast(last: number): void {
    this.#last ??= "theirs";
    for (const call of [...this.#calls.values()]) {
      if (call.id <= last) continue;
      this.#take(call.id);
      call.fail(withFate(unreachable(this.name, "leaving"), "unstarted"));
    }
    this.#handlers.onLast?.();
  }

  #becomeIdle(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #serve(inbound: Inbound, target: string, body: string): void {
    this.#inbound.set(inbound.id, inbound);
    try {
      if (!this.#handlers.onCall) throw new MpError("method_not_found", "Nothing is served here");
      const reply = this.#handlers.onCall(target, body, inbound);
      if (typeof reply === "string") this.#reply(inbound, reply);
      else this.#replyLater(inbound, reply);
    } catch (error) {
      this.#replyError(inbound, error);
    }
  }

  async #replyLater(inbound: Inbound, reply: Promise<string>): Promise<void> {
    try {
      this.#reply(inbound, await reply);
    } catch (error) {
      this.#replyError(inbound, error);
    }
  }

  #reply(inbound: Inbound, body: string): void {
    const line = `r${inbound.id} ${body}\n`;
    if (this.#isTooLong(line)) {
      return this.#replyError(inbound, tooLong("answer: the result", this.#maxMessage));
    }
    if (this.#inbound.delete(inbound.id)) this.#sendBounded(line);
    inbound.settle();
  }

  #replyError(inbound: Inbound, error: unknown): void {
    if (this.#inbound.delete(inbound.id)) {
      const data = error instanceof MpError
        ? error.toData()
        : { code: "handler_failed", message: messageOf(error) };
      const isUnstarted = error instanceof MpError && fateOf(error) === "unstarted";
      const line = `${isUnstarted ? "z" : "e"}${inbound.id} ${JSON.stringify(data)}\n`;
      this.#sendBounded(
        this.#isTooLong(line)
          ? `e${inbound.id} ${JSON.stringify({ ...data, message: data.message.slice(0, 1000) })}\n`
          : line,
      );
    }
    inbound.settle();
  }

  #end(reason: MpError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#life.rest();
    this.#outbox.close();
    // while a read waits, close() alone leaves a socket as it is, and the other side would not notice
    this.#conn.closeWrite?.().catch(() => {});
    try {
      this.#conn.close();
    } catch {
      // the system closed it already
    }
    // what has not left has not begun
    const unknown = withFate(reason ?? unreachable(this.name, "disconnected"), "unknown");
    const unstarted = withFate(unreachable(this.name, "disconnected", unknown.cause), "unstarted");
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.fail(call.id > this.#lastSent ? unstarted : unknown);
    this.#becomeIdle();
    for (const inbound of this.#inbound.values()) {
      inbound.abort(reason ?? new MpError("cancelled", "The connection was closed"));
    }
    this.#inbound.clear();
    this.#resolveClosed();
    this.#handlers.onClose?.(reason);
    deadlines.settle();
  }

  /** Whether a line has more bytes than the other side takes; a UTF-16 unit has three at most. */
  #isTooLong(line: string): boolean {
    return line.length * 3 > this.#maxMessage &&
      encoder.encode(line).length > this.#maxMessage;
  }
}
