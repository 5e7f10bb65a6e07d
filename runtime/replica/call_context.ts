/**
 * The context of one call, and how deeper code finds it.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { MpError } from "../errors.ts";
import { deadlines, Timed } from "../peer/deadlines.ts";
import type { Payload } from "../payload.ts";
import { readTraceHeaders, type TraceHeaders } from "../telemetry/trace_headers.ts";
import type { Context, ReplicaInfo } from "../topology/context.ts";
import type { KeptReply } from "../transact/kept_reply.ts";
import type { View } from "../transact/view.ts";

/** What a context is made of. */
export interface CallContextOptions {
  readonly service: string;
  readonly replica: ReplicaInfo;
  /** How long the call may take from now on, in milliseconds. */
  readonly timeout: number;
  readonly requestId: string;
  readonly user?: string;
  readonly idempotencyKey?: string;
  /** The trace that the call is a part of. */
  readonly trace?: TraceHeaders;
  /** Where that stands, of a call from outside; read when it is asked for. */
  readonly headers?: HeldHeaders;
  /** The caller's signal, made when it is asked for. */
  readonly signal?: () => AbortSignal;
  /** Cancels the calls that are made for this one. */
  readonly cancel?: AbortSignal;
}

/** Headers of a caller, not trusted. */
type HeldHeaders = { readonly [Name in keyof TraceHeaders]: string | undefined };

const current = new AsyncLocalStorage<CallContext>();

/** The context of one call; what most calls do not use is made when it is read. */
export class CallContext implements Context {
  readonly service: string;
  readonly replica: ReplicaInfo;
  readonly requestId: string;
  /** Known once the door has let the caller in. */
  user: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly cancel: AbortSignal | undefined;
  /** What a handler that uses `mp.scope` sees of scopes. */
  view: View | undefined;
  /** The request, once a handler has it. */
  payload: Payload | undefined;
  /** What the handler has done that cannot be undone, such as `a call to "stock"`. */
  effect: string | undefined;
  /** Where the reply is kept, for a call with an idempotency key. */
  reply: KeptReply | undefined;
  /** How many transactions of its own the handler has begun. */
  steps = 0;
  /** Whether the handler is taken for a transaction, and must do nothing else before that is known. */
  stopsAtEffect = false;
  /** Whether the handler was stopped, so that nothing that it comes to counts. */
  isStopped = false;
  /** How long the call may take in all, in milliseconds. */
  readonly timeout: number;
  #started = performance.now();
  #trace: TraceHeaders | undefined;
  #headers: HeldHeaders | undefined;
  #callerSignal: (() => AbortSignal) | undefined;
  #signal: AbortSignal | undefined;
  #expiry: Timed | undefined;
  #ended = false;

  constructor(options: CallContextOptions) {
    this.service = options.service;
    this.replica = options.replica;
    this.requestId = options.requestId;
    this.user = options.user;
    this.idempotencyKey = options.idempotencyKey;
    this.cancel = options.cancel;
    this.timeout = options.timeout;
    this.#trace = options.trace;
    this.#headers = options.headers;
    this.#callerSignal = options.signal;
  }

  /** How long the call may still take, in milliseconds; negative when it is late. */
  get remaining(): number {
    return this.#started + this.timeout - performance.now();
  }

  get deadline(): number {
    return Date.now() + this.remaining;
  }

  get trace(): TraceHeaders | undefined {
    const headers = this.#headers;
    if (headers === undefined) return this.#trace;
    this.#headers = undefined;
    return this.#trace = readTraceHeaders(headers.traceparent, headers.tracestate);
  }

  /** Puts the call into a trace. */
  set trace(trace: TraceHeaders | undefined) {
    this.#headers = undefined;
    this.#trace = trace;
  }

  get signal(): AbortSignal {
    return this.#signal ??= this.#callerSignal?.() ?? this.cancel ?? this.#deadlineSignal();
  }

  #deadlineSignal(): AbortSignal {
    const controller = new AbortController();
    if (!this.#ended) {
      this.#expiry = new AbortAtDeadline(controller);
      deadlines.add(this.#expiry, this.remaining);
    }
    return controller.signal;
  }

  /** Notes that the handler has returned; what it was given no longer expires. */
  end(): void {
    this.#ended = true;
    if (this.#expiry) deadlines.remove(this.#expiry);
  }

  /** Runs a handler so that `mp.current()` finds this context, also after an `await`. */
  run<Q, R>(handler: (request: Q, context: CallContext) => R, request: Q): R {
    return current.run(this, handler, request, this);
  }

  /**
   * Notes that the handler is about to do what cannot be undone.
   *
   * @throws {MpError} When the handler must not, or not yet.
   */
  begin(effect: string): void {
    if (this.view !== undefined) throw effectInside(effect);
    if (this.stopsAtEffect) {
      this.isStopped = true;
      throw stopped(effect);
    }
    this.effect ??= effect;
  }

  /** The context of another run of the same call, as part of a transaction if a view is given. */
  again(view: View | undefined): CallContext {
    const context = new CallContext({
      service: this.service,
      replica: this.replica,
      timeout: this.remaining,
      requestId: this.requestId,
      ...(this.user !== undefined && { user: this.user }),
      ...(this.idempotencyKey !== undefined && { idempotencyKey: this.idempotencyKey }),
      ...(this.#trace && { trace: this.#trace }),
      ...(this.#headers && { headers: this.#headers }),
      ...(this.#callerSignal && { signal: this.#callerSignal }),
      ...(this.cancel && { cancel: this.cancel }),
    });
    context.view = view;
    context.reply = this.reply;
    return context;
  }

  /** @throws {MpError} When the handler, as a transaction, could not be run again. */
  assertScopesAllowed(name: string): void {
    const why = this.#ended
      ? "the handler has returned"
      : this.effect && `${this.effect} came before`;
    if (!why) {
      // before the handler changes it any further
      void this.payload?.text;
      return;
    }
    throw new MpError("scope_after_effect", `Cannot use mp.scope.${name}: ${why}`, {
      next: `Use mp.scoped(${JSON.stringify(name)}, …), whose body alone may run again`,
    });
  }

  /** The context of the call that is being answered. */
  static get current(): CallContext | undefined {
    return current.getStore();
  }
}

/** The error of an effect within a transaction. */
export function effectInside(effect: string): MpError {
  return new MpError(
    "scope_after_effect",
    `Cannot make ${effect}: it is made within a transaction, which may run again`,
    { next: "Make it before the first use of a scope, or after mp.scoped()" },
  );
}

function stopped(effect: string): MpError {
  return new MpError(
    "cancelled",
    `Cannot make ${effect} yet: the handler starts again, when it is known that the call is new`,
  );
}

class AbortAtDeadline extends Timed {
  constructor(readonly controller: AbortController) {
    super();
  }

  override expire(): void {
    this.controller.abort(new MpError("deadline_exceeded", "The call's deadline has passed"));
  }
}

let prefix = crypto.randomUUID().slice(0, 8);
let count = 0;

/** Counts request ids anew, so that a simulation gives the same ones each time. */
export function restartRequestIds(newPrefix: string): void {
  prefix = newPrefix;
  count = 0;
}

/** A new request id: unique to this process, and short. */
export function newRequestId(): string {
  return `${prefix}-${(++count).toString(36)}`;
}
