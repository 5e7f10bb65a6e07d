/**
 * Whether a replica gives signs of life.
 *
 * @module
 */

import type { Channel } from "../../runtime/peer/channel.ts";

/** Options of {@linkcode Pulse}. */
export interface PulseOptions {
  /** How long an answer may take before it is asked for again, in milliseconds. */
  readonly timeout: number;
  /** Told at each beat how long it owes a sign of life, in milliseconds. */
  onSilent(milliseconds: number): void;
  onAnswer(): void;
}

/** A replica that stands at a breakpoint may do so for long; a ping needs some end. */
const LONGEST = 24 * 3600 * 1000;

/** Asks for a sign of life with each beat, unless it has asked already. Times are `performance.now()`. */
export class Pulse {
  #options: PulseOptions;
  #channel: Pick<Channel, "ping"> | undefined;
  #silentSince: number | undefined;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** A process has been started, and owes its first word. */
  start(now: number): void {
    this.#channel = undefined;
    this.#silentSince = now;
  }

  /** It has said its first word. */
  meet(channel: Pick<Channel, "ping">): void {
    this.#channel = channel;
    this.#silentSince = undefined;
  }

  /** The process has ended. */
  stop(): void {
    this.#channel = this.#silentSince = undefined;
  }

  beat(now: number): void {
    if (this.#silentSince !== undefined) return this.#options.onSilent(now - this.#silentSince);
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#silentSince = now;
    channel.ping(Math.min(this.#options.timeout, LONGEST)).then(() => {
      if (channel !== this.#channel) return;
      this.#silentSince = undefined;
      this.#options.onAnswer();
    }, () => {
      // it goes on being silent, or its process has ended
    });
  }

  /** Counts the silence from now: it is the launcher that was stopped. */
  forgive(now: number): void {
    if (this.#silentSince !== undefined) this.#silentSince = now;
  }
}
