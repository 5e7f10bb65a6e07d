/**
 * A call to another process that has no answer yet.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { deadlines, Timed } from "./deadlines.ts";

/** Where a call is: a channel, or the calls that wait for one. */
export interface CallHolder {
  /** Takes the call off the books, and tells the other side when it knows of it. */
  drop(call: OutboundCall): void;
  /** Why the call's time is over. */
  late(call: OutboundCall): MpError;
}

/**
 * A call, from when it is made until it is answered. It is itself its entry in the wheel of deadlines, and
 * hears itself how it ends, so that a call costs one object.
 *
 * One of `onReply` and `onError` is called, once, unless it is cancelled before; `onError` perhaps while it
 * is still being handed over.
 */
export abstract class OutboundCall extends Timed {
  /** @internal */ id = 0;
  /** @internal Set while it is on its way. */ holder: CallHolder | undefined = undefined;

  /** @param timeout In milliseconds. */
  constructor(public timeout: number) {
    super();
  }

  protected abstract onReply(body: string): void;
  protected abstract onError(error: MpError): void;

  /** Whether it has been sent, or waits to be, and has no answer. */
  get pending(): boolean {
    return this.holder !== undefined;
  }

  /** @internal */
  succeed(body: string): void {
    deadlines.remove(this);
    this.holder = undefined;
    this.onReply(body);
  }

  /** @internal */
  fail(error: MpError): void {
    deadlines.remove(this);
    this.holder = undefined;
    this.onError(error);
  }

  /** Gives the call up, here and at the other end. It hears no more. */
  cancel(): void {
    const { holder } = this;
    if (holder === undefined) return;
    deadlines.remove(this);
    this.holder = undefined;
    holder.drop(this);
  }

  override expire(): void {
    const { holder } = this;
    if (holder === undefined) return;
    holder.drop(this);
    this.fail(holder.late(this));
  }
}

/** A call as a promise. */
export class PromisedCall extends OutboundCall {
  #unlisten: (() => void) | undefined;

  constructor(
    timeout: number,
    readonly resolve: (body: string) => void,
    readonly reject: (error: MpError) => void,
  ) {
    super(timeout);
  }

  /** Follows the caller's signal; returns false, with the call rejected, when it has aborted already. */
  listen(signal: AbortSignal): boolean {
    if (signal.aborted) {
      this.reject(cancelled(signal));
      return false;
    }
    const onAbort = () => {
      if (!this.pending) return;
      this.cancel();
      this.reject(cancelled(signal));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#unlisten = () => signal.removeEventListener("abort", onAbort);
    return true;
  }

  protected override onReply(body: string): void {
    this.#unlisten?.();
    this.resolve(body);
  }

  protected override onError(error: MpError): void {
    this.#unlisten?.();
    this.reject(error);
  }
}

/** The error of a call that its caller's signal cancelled. */
export function cancelled(signal: AbortSignal): MpError {
  if (signal.reason instanceof MpError) return signal.reason;
  return new MpError("cancelled", "The call was cancelled", { cause: signal.reason });
}
