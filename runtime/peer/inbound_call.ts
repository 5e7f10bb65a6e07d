/**
 * A call from another process that has no answer yet.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { deadlines, Timed } from "./deadlines.ts";

/** What ends with a call. */
export interface Cancellable {
  /** Called at most once, and not after the call has been answered. */
  cancel(reason: MpError): void;
}

/** A call from the other side. */
export interface InboundCall {
  /** How long the caller waits, in milliseconds, counted from the arrival. */
  readonly timeout: number;
  /** What the caller added, as JSON text; empty for nothing. */
  readonly meta: string;
  /** What is cancelled when the caller cancels or the connection ends. It knows the deadline itself. */
  cancels: Cancellable | undefined;
  /** Aborts when the caller cancels, its deadline passes, or the connection ends. Made when first asked for. */
  signal(): AbortSignal;
}

/** @internal See {@linkcode InboundCall}. */
export class Inbound extends Timed implements InboundCall {
  cancels: Cancellable | undefined = undefined;
  #controller: AbortController | undefined;
  #aborted: MpError | undefined;
  #settled = false;

  constructor(readonly id: number, readonly timeout: number, readonly meta: string) {
    super();
  }

  signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted);
      else if (!this.#settled) deadlines.add(this, this.timeout);
    }
    return this.#controller.signal;
  }

  abort(reason: MpError): void {
    this.#aborted = reason;
    deadlines.remove(this);
    this.#controller?.abort(reason);
    this.cancels?.cancel(reason);
  }

  settle(): void {
    this.#settled = true;
    deadlines.remove(this);
  }

  override expire(): void {
    this.#aborted = new MpError("deadline_exceeded", "The caller's deadline has passed");
    this.#controller?.abort(this.#aborted);
  }
}
