/**
 * The context of one call, and how deeper code finds it.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { MpError } from "../errors.ts";
import { deadlines, Timed } from "../peer/deadlines.ts";
import type { Cancellable } from "../peer/inbound_call.ts";
import type { Payload } from "../payload.ts";
import { readTraceHeaders, type TraceHeaders } from "../telemetry/trace_headers.ts";
import type { Context, ReplicaInfo } from "../topology/context.ts";
import type { KeptReply } from "../transact/kept_reply.ts";
import type { View } from "../transact/view.ts";

/** What a context is made of. */
export interface CallContextOptions {
  readonly service: string;
  readonly replica: ReplicaInfo;
  /** How long the call may take, in milliseconds. */
  readonly timeout: number;
  /** Since when, by `performance.now()`. Default: now. */
  readonly since?: number;
  readonly requestId: string;
  readonly user?: string;
  readonly idempotencyKey?: string;
  /** The trace that the call is a part of. */
  readonly trace?: TraceHeaders;
  /** Where that stands, of a call from outside; read when it is asked for. */
  readonly headers?: HeldHeaders;
  /** The caller from outside; its signal costs much, and is read when there is something to be cancelled. */
  readonly caller?: { readonly signal: AbortSignal };
  /** The call for which this one is made, and with which it is cancelled. */
  readonly parent?: CallContext;
}

/** Headers of a caller, not trusted. */
type HeldHeaders = { readonly [Name in keyof TraceHeaders]: string | undefined };

/** What is done for a call and is cancelled with it. A list's own node, so that a call allocates nothing more. */
export interface Dependent extends Cancellable {
  previousDependent: Dependent | undefined;
  nextDependent: Dependent | undefined;
}

/** Ends the waiting for an answer: the caller has gone away, or (without a reason) the deadline has passed. */
type GiveUp = (reason: MpError | undefined) => void;

/** After so many milliseconds without an answer it is looked whether the caller is still there. */
const LOOK_AFTER = 50;

/** Calls to parts end by the same deadline; their errors say more, and so come first. */
const SLACK = 40;

const current = new AsyncLocalStorage<CallContext>();

/** The context of one call; what most calls do not use is made when it is read. */
export class CallContext extends Timed implements Context, Dependent {
  readonly service: string;
  readonly replica: ReplicaInfo;
  readonly requestId: string;
  /** Known once the door has let the caller in. */
  user: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** What a handler that uses `mp.scope` sees of scopes. */
  view: View | undefined;
  /** The request, while a handler has it. */
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
  #started: number;
  #trace: TraceHeaders | undefined;
  #headers: HeldHeaders | undefined;
  /** @internal */ previousDependent: Dependent | undefined = undefined;
  /** @internal */ nextDependent: Dependent | undefined = undefined;
  #caller: { readonly signal: AbortSignal } | undefined;
  #parent: CallContext | undefined;
  #controller: AbortController | undefined;
  #cancelled: MpError | undefined;
  #dependents: Dependent | undefined;
  #giveUp: GiveUp | undefined;
  #ended = false;
  #answered = false;
  /** Another run of the same call, as part of a transaction. */
  #rerun: CallContext | undefined;
  /** Whether the signal's deadline is that of the entry in the wheel. */
  #armed = false;

  constructor(options: CallContextOptions) {
    super();
    this.service = options.service;
    this.replica = options.replica;
    this.requestId = options.requestId;
    this.user = options.user;
    this.idempotencyKey = options.idempotencyKey;
    this.timeout = options.timeout;
    this.#started = options.since ?? performance.now();
    this.#trace = options.trace;
    this.#headers = options.headers;
    this.#caller = options.caller;
    this.#parent = options.parent;
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
    if (this.#parent) return this.#parent.signal;
    const controller = this.#controller ??= new AbortController();
    if (this.#cancelled) controller.abort(this.#cancelled);
    else if (!this.#armed && !this.#over) {
      this.#armed = true;
      this.#lookAfterCaller();
      deadlines.remove(this);
      deadlines.add(this, this.remaining);
    }
    return controller.signal;
  }

  /** Whether nothing is done for the call any more. */
  get #over(): boolean {
    return this.#ended && (this.#rerun === undefined || this.#rerun.#over);
  }

  /** Why the call is given up, when its caller has gone away. */
  get cancelled(): MpError | undefined {
    return this.#parent ? this.#parent.cancelled : this.#cancelled;
  }

  /** The caller has gone away: ends all that is done for the call. */
  cancel(reason: MpError): void {
    if (this.#answered || this.#cancelled) return;
    const giveUp = this.#giveUp;
    this.#cancelled = reason;
    this.#giveUp = undefined;
    this.#disarm();
    this.#controller?.abort(reason);
    this.cancelDependents(reason);
    giveUp?.(reason);
  }

  /** Ends what is done for the call. */
  cancelDependents(reason: MpError): void {
    for (let dependent = this.#dependents; dependent; dependent = this.#dependents) {
      this.release(dependent);
      dependent.cancel(reason);
    }
  }

  /** Notes what is done for the call, to be cancelled with it. */
  adopt(dependent: Dependent): void {
    if (this.#parent) return this.#parent.adopt(dependent);
    const first = this.#dependents;
    dependent.nextDependent = first;
    if (first) first.previousDependent = dependent;
    this.#dependents = dependent;
  }

  /** Forgets what has been done. */
  release(dependent: Dependent): void {
    if (this.#parent) return this.#parent.release(dependent);
    const { previousDependent: previous, nextDependent: next } = dependent;
    if (previous) previous.nextDependent = next;
    else if (this.#dependents === dependent) this.#dependents = next;
    if (next) next.previousDependent = previous;
    dependent.previousDependent = dependent.nextDependent = undefined;
  }

  /** Looks whether the caller is still there, and tells when it is not, or when the call's deadline has passed. */
  expect(giveUp: GiveUp): void {
    this.#giveUp = giveUp;
    if (this.#armed) return;
    deadlines.add(this, Math.min(this.#caller ? LOOK_AFTER : Infinity, this.remaining + SLACK));
  }

  /** Notes that the handler has returned; what it was given no longer expires. */
  end(): void {
    this.#ended = true;
    // what goes on behind a call holds its context; see answered()
    this.payload = undefined;
    (this.#parent ?? this).#disarm();
  }

  /** Notes that the call has been answered; its caller may go. */
  answered(): void {
    this.#ended = this.#answered = true;
    // what follows a call holds its context for a while; with the request in it, that costs a third of all time
    this.#caller = this.#headers = undefined;
    this.#giveUp = undefined;
    this.#disarm();
  }

  #disarm(): void {
    if (this.#giveUp !== undefined) return;
    this.#armed = false;
    deadlines.remove(this);
  }

  override expire(): void {
    const left = this.remaining;
    const giveUp = this.#giveUp;
    if (left > 0) {
      this.#lookAfterCaller();
      return deadlines.add(this, left + (this.#armed ? 0 : SLACK));
    }
    if (!this.#over) this.#controller?.abort(late());
    if (giveUp === undefined) return;
    if (left > -SLACK) return deadlines.add(this, left + SLACK);
    this.answered();
    this.cancelDependents(late());
    giveUp(undefined);
  }

  /** Costs half the throughput of what does it for every call. */
  #lookAfterCaller(): void {
    const caller = this.#caller;
    if (caller === undefined) return;
    this.#caller = undefined;
    // it aborts, too, when the answer has left
    caller.signal.addEventListener("abort", () => {
      this.cancel(new MpError("cancelled", "The caller went away"));
    }, { once: true });
  }

  /** Runs a handler so that `mp.current()` finds this context, also after an `await`. */
  run<Q, R>(handler: (request: Q, context: CallContext) => R, request: Q): R {
    return current.run(this, handler, request, this);
  }

  /** Whether what is done now is part of a transaction; what goes on behind it is not. */
  get inTransaction(): boolean {
    return this.view !== undefined && !this.view.ended;
  }

  /**
   * Notes that the handler is about to do what cannot be undone.
   *
   * @throws {MpError} When the handler must not, or not yet.
   */
  begin(effect: string): void {
    if (this.inTransaction) throw effectInside(effect);
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
      parent: this,
    });
    context.view = view;
    context.reply = this.reply;
    this.#rerun = context;
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

function late(): MpError {
  return new MpError("deadline_exceeded", "The call's deadline has passed");
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
