/**
 * One call to a part, from when it is made until it is answered: on one replica, and where the options allow
 * it, on another one.
 *
 * What certainly has not begun is made again, elsewhere where any replica can answer. What may have begun is
 * made again only when it does no harm. A call that is hedged is made on a second replica while the first
 * one still owes its answer; the first answer counts, and the other call is cancelled.
 *
 * @module
 */

import { type Code, messageOf, MpError } from "../errors.ts";
import { Payload } from "../payload.ts";
import { deadlines, Timed } from "../peer/deadlines.ts";
import { fateOf, withoutFate } from "../peer/fate.ts";
import { OutboundCall } from "../peer/outbound_call.ts";
import type { Peer } from "../peer/peer.ts";
import type { PickReplica, RoutedCall } from "../topology/target.ts";
import { type CallContext, type Dependent, effectInside } from "./call_context.ts";
import { encodeMeta } from "./call_meta.ts";
import type { Hedged, HedgeEntry } from "./hedging.ts";
import type { PartTraffic } from "./part_traffic.ts";

/** The first repetition that has to wait does so for up to so long, in milliseconds; each other twice as long. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 500;
/** Answers by which a replica says that it has carried out nothing: they hold for its own attempt only. */
const NOTHING_DONE: ReadonlySet<string> = new Set(
  ["overloaded", "scope_conflict", "storage_unavailable"] satisfies Code[],
);

/** JSON can spell numbers that it cannot hold, such as 1e400: what came in cannot always be passed on. */
function whyUnsendable(payload: Payload, path: string): MpError | undefined {
  try {
    void payload.text;
    return undefined;
  } catch (error) {
    return new MpError("not_json", `Cannot call "${path}": in the request, ${messageOf(error)}`);
  }
}

/** What is delivered. */
export interface DeliveryOptions {
  readonly traffic: PartTraffic;
  readonly call: RoutedCall;
  /** Chooses another replica; absent where only one can answer. */
  readonly pick: PickReplica | undefined;
  /** How long it may take, in milliseconds, if its context leaves so much. */
  readonly timeout: number;
  readonly resolve: (reply: Payload) => void;
  readonly reject: (error: MpError) => void;
}

/** See the module's documentation. */
export class Delivery implements Dependent, Hedged {
  previousDependent: Dependent | undefined = undefined;
  nextDependent: Dependent | undefined = undefined;
  #options: DeliveryOptions;
  #context: CallContext;
  /** Attempts that have no answer yet: one, or two when it is hedged. */
  #attempt: Attempt | undefined;
  #hedge: Attempt | undefined;
  #attempts = 0;
  /** The error of the last attempt that may have been carried out although it failed. */
  #lost: MpError | undefined;
  #tried: Set<number> | undefined;
  #entry: HedgeEntry | undefined;
  #pause: Pause | undefined;
  #started = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#context = options.call.context as CallContext;
  }

  /** Makes the call on a replica. */
  start(index: number): void {
    const context = this.#context;
    const { traffic, pick, reject } = this.#options;
    if (context.cancelled) return reject(context.cancelled);
    // a router that has used a scope would ask its parts again
    if (context.inTransaction) return reject(effectInside(`a call to "${traffic.path}"`));
    // before anything is noted of the call: a timer that made it again would throw this in vain
    const unsendable = whyUnsendable(this.#options.call.payload, traffic.path);
    if (unsendable !== undefined) return reject(unsendable);
    context.effect ??= "a call to a part";
    context.adopt(this);
    traffic.budget.deposit();
    if (traffic.hedging && pick && traffic.replicas > 1) {
      this.#started = performance.now();
      this.#entry = traffic.hedging.add(this, this.#started);
    }
    this.#try(index);
  }

  /** Makes the call on a second replica. */
  hedge(): void {
    const { traffic } = this.#options;
    const first = this.#attempt;
    this.#entry = undefined;
    if (first === undefined || this.#hedge !== undefined) return;
    const other = this.#another(first.index);
    if (other === undefined || !traffic.budget.withdraw()) return;
    traffic.counters.hedges++;
    this.#try(other);
  }

  /** The call for which it is made has been given up. */
  cancel(reason: MpError): void {
    this.#settle();
    this.#options.reject(reason);
  }

  /** @internal */
  succeeded(attempt: Attempt, body: string): void {
    const { traffic, resolve } = this.#options;
    attempt.peer.succeeded();
    if (attempt === this.#hedge) traffic.counters.hedgesWon++;
    if (this.#started > 0) traffic.hedging!.observe(performance.now() - this.#started);
    this.#settle();
    resolve(Payload.ofText(body));
  }

  /** @internal */
  failed(attempt: Attempt, error: MpError): void {
    attempt.peer.failed(error);
    if (attempt === this.#attempt) this.#attempt = this.#hedge;
    this.#hedge = undefined;
    const fate = fateOf(error);
    const isNothing = NOTHING_DONE.has(error.code);
    if (fate === "unknown" || fate === "late") this.#lost = error;
    // what the replica itself has answered, the other one would answer too
    if (this.#attempt !== undefined && (fate !== undefined || isNothing)) return;
    if (fate !== undefined && this.#again(attempt.index, error)) return;
    this.#settle();
    // that the last attempt has done nothing does not say that none has
    const told = fate !== undefined || isNothing ? this.#lost ?? error : error;
    this.#options.reject(withoutFate(told));
  }

  #try(index: number): void {
    const { traffic, call, timeout } = this.#options;
    const peer = traffic.peer(index);
    if (peer === undefined) {
      this.#settle();
      return this.#options.reject(traffic.absent(index));
    }
    const left = Math.max(1, Math.min(timeout, this.#context.remaining));
    const attempt = new Attempt(this, peer, index, left);
    this.#attempts++;
    if (this.#attempt === undefined) this.#attempt = attempt;
    else this.#hedge = attempt;
    const { tracing } = traffic;
    if (tracing === undefined) {
      return peer.start(attempt, call.payload.text, encodeMeta(this.#context));
    }
    const where = { path: traffic.path, replica: traffic.name(index) };
    tracing.call(where, this.#context.trace, (trace) => {
      const ended = attempt.follow();
      peer.start(attempt, call.payload.text, encodeMeta(this.#context, trace));
      return ended;
    }).catch(() => {
      // the delivery has heard of it
    });
  }

  /** Makes the call once more if that is allowed. @returns Whether it does. */
  #again(index: number, error: MpError): boolean {
    const { traffic } = this.#options;
    const fate = fateOf(error);
    if (fate === "late" || this.#attempts > traffic.retries) return false;
    const isHarmless = traffic.idempotent || this.#context.idempotencyKey !== undefined;
    if (fate === "unknown" && !isHarmless) return false;
    const isFull = error.code === "overloaded";
    const other = this.#another(index);
    // where nobody else can answer, its successor may
    const isGone = error.reason === "absent" || error.reason === "refused";
    if (other === undefined && (isFull || isGone)) return false;
    const isNew = fate === "unstarted" || this.#attempts === 1;
    const pause = other !== undefined && isNew ? 0 : pauseOf(this.#attempts);
    if (pause >= this.#context.remaining) return false;
    // what the replica has had no work with costs nothing
    if ((fate === "unknown" || isFull) && !traffic.budget.withdraw()) return false;
    traffic.counters.retries++;
    if (pause === 0) this.#try(other!);
    else {
      this.#pause = new Pause(() => {
        this.#pause = undefined;
        this.#try(this.#another(index) ?? index);
      });
      deadlines.add(this.#pause, pause);
    }
    return true;
  }

  /** Another replica that is well and has not been tried. */
  #another(index: number): number | undefined {
    const { traffic, pick } = this.#options;
    if (pick === undefined) return undefined;
    const tried = (this.#tried ??= new Set()).add(index);
    const { replicas } = traffic;
    const available = (i: number) => !tried.has(i) && traffic.available(i);
    const other = pick({ replicas, available, pending: (i) => traffic.pending(i) });
    return available(other) ? other : undefined;
  }

  #settle(): void {
    this.#context.release(this);
    this.#attempt?.cancel();
    this.#hedge?.cancel();
    this.#attempt = this.#hedge = undefined;
    if (this.#entry) this.#options.traffic.hedging!.remove(this.#entry);
    if (this.#pause) deadlines.remove(this.#pause);
    this.#entry = this.#pause = undefined;
  }
}

/** The call on one replica. */
class Attempt extends OutboundCall {
  #followed: PromiseWithResolvers<string> | undefined;

  constructor(
    readonly delivery: Delivery,
    readonly peer: Peer,
    readonly index: number,
    timeout: number,
  ) {
    super(timeout);
  }

  /** How it ends, for the span that it is made in. */
  follow(): Promise<string> {
    return (this.#followed = Promise.withResolvers()).promise;
  }

  override cancel(): void {
    super.cancel();
    this.#followed?.reject(new MpError("cancelled", "The call was cancelled"));
  }

  protected override onReply(body: string): void {
    this.#followed?.resolve(body);
    this.delivery.succeeded(this, body);
  }

  protected override onError(error: MpError): void {
    this.#followed?.reject(error);
    this.delivery.failed(this, error);
  }
}

class Pause extends Timed {
  constructor(override readonly expire: () => void) {
    super();
  }
}

/** Full jitter: many calls that fail together are not made again together. */
function pauseOf(attempts: number): number {
  return 1 + Math.random() * Math.min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE);
}
