/**
 * The way to one replica: a connection that is made anew whenever it ends.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";
import { type CallOptions, cancelled, type Channel, type Connection } from "./channel.ts";
import { deadlines, Timed } from "./deadlines.ts";
import { type Hello, introduce } from "./handshake.ts";

/** How connections are made. */
export type Dial = (address: Address) => Promise<Connection>;

/** Options of a {@linkcode Peer}. */
export interface PeerOptions {
  /** The replica's name, `histogram-service.scatter.3`. */
  name: string;
  address: Address;
  hello: Hello;
  dial: Dial;
  /** How long a call waits for a connection, counted from when it ended, in milliseconds. Default: 2,000. */
  patience?: number;
}

const FIRST_DELAY = 5;
const LONGEST_DELAY = 500;
const MOST_WAITING = 10_000;
/** A replica that has not been heard of for so long, with calls waiting, gets no new work while others can. */
const BUSY_AFTER = 1_000;

/** See the module's documentation. */
export class Peer {
  readonly name: string;
  readonly address: Address;
  #options: PeerOptions;
  #patience: number;
  #channel: Channel | undefined;
  /** Connections to a replica that ends, over which it still answers what it was asked. */
  #leaving = new Set<Channel>();
  #lostAt = performance.now();
  #lastError: unknown;
  #waiting = new Set<Waiting>();
  #connecting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #delay = FIRST_DELAY;
  #closing = new AbortController();
  #connected: PromiseWithResolvers<void> | undefined;
  #pinged = 0;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.name = options.name;
    this.address = options.address;
    this.#patience = options.patience ?? 2_000;
  }

  /** How many calls have no answer yet. */
  get pending(): number {
    let pending = (this.#channel?.pending ?? 0) + this.#waiting.size;
    for (const channel of this.#leaving) pending += channel.pending;
    return pending;
  }

  /** Whether the replica is connected and has been heard of lately. */
  get available(): boolean {
    const channel = this.#channel;
    if (channel === undefined) return false;
    const silence = channel.silence;
    if (silence < BUSY_AFTER / 2) return true;
    // no answer may mean that handlers wait, which is well, or that the event loop is blocked: ask
    const now = performance.now();
    if (now - this.#pinged > BUSY_AFTER / 2) {
      this.#pinged = now;
      channel.ping(2 * BUSY_AFTER).catch(() => {});
    }
    return silence < BUSY_AFTER;
  }

  /** Whether there is a connection. */
  get connected(): boolean {
    return this.#channel !== undefined;
  }

  /**
   * Calls the replica; waits for a connection if need be.
   *
   * @throws {MpError} What the replica answered, or `replica_unreachable`, `deadline_exceeded`, ….
   */
  call(body: string, options: CallOptions): Promise<string> {
    if (this.#channel !== undefined) return this.#channel.call("", body, options);
    return this.#callLater(body, options);
  }

  /** Connects now, rather than at the next attempt. */
  connect(): void {
    if (this.#channel || this.#connecting || this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#attempt();
  }

  /** Resolves when there is a connection. @throws {MpError} When the peer is closed before. */
  connection(): Promise<void> {
    if (this.#channel) return Promise.resolve();
    if (this.#closed) return Promise.reject(this.#absent());
    this.connect();
    return (this.#connected ??= Promise.withResolvers()).promise;
  }

  /** Ends the connection for good once every call has been answered; no new ones should come. */
  async retire(): Promise<void> {
    // what still waits for a connection gets one, or fails, within its patience
    await Promise.allSettled([...this.#waiting].map((waiting) => waiting.settled));
    await Promise.all([...this.#leaving, this.#channel].map((channel) => channel?.idle()));
    this.close();
  }

  /** Ends the connection for good; calls without an answer fail. */
  close(): void {
    if (this.#closed) return;
    this.#closing.abort(this.#absent());
    clearTimeout(this.#timer);
    this.#channel?.close();
    for (const channel of this.#leaving) channel.close();
    this.#connected?.reject(this.#absent());
    for (const waiting of this.#waiting) waiting.fail(this.#absent());
    this.#waiting.clear();
    deadlines.settle();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #callLater(body: string, options: CallOptions): Promise<string> {
    const started = performance.now();
    const timeout = options.timeout ?? 30_000;
    const left = this.#lostAt + this.#patience - started;
    if (this.#closed || left <= 0) {
      this.connect();
      throw this.#absent();
    }
    if (this.#waiting.size >= MOST_WAITING) {
      throw new MpError(
        "overloaded",
        `Cannot call ${this.name}: ${MOST_WAITING} calls wait for it`,
        {
          replica: this.name,
        },
      );
    }
    this.connect();
    const channel = await this.#channelWithin(Math.min(left, timeout), options.signal);
    return await channel.call("", body, {
      ...options,
      timeout: Math.max(1, timeout - (performance.now() - started)),
    });
  }

  async #channelWithin(milliseconds: number, signal: AbortSignal | undefined): Promise<Channel> {
    if (signal?.aborted) throw cancelled(signal);
    const { promise, resolve, reject } = Promise.withResolvers<Channel>();
    const waiting = new Waiting(resolve, (error) => {
      this.#waiting.delete(waiting);
      reject(error);
    }, () => this.#absent());
    const onAbort = () => waiting.fail(cancelled(signal!));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(waiting);
    deadlines.add(waiting, milliseconds);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #attempt(): Promise<void> {
    this.#connecting = true;
    try {
      const { address, hello, dial, name } = this.#options;
      let channel: Channel | undefined = undefined;
      let leaves = false;
      channel = await introduce(await dial(address), hello, {
        name,
        signal: this.#closing.signal,
        onClose: () => this.#lost(channel),
        onLeaving: () => {
          leaves = true;
          if (channel) this.#leave(channel);
        },
      });
      if (this.#closed || leaves) channel.close();
      // it may have ended after the welcome
      if (channel.ended) throw new Error("the connection ended");
      this.#channel = channel;
      this.#delay = FIRST_DELAY;
      this.#lastError = undefined;
      for (const waiting of this.#waiting) waiting.succeed(channel);
      this.#waiting.clear();
      this.#connected?.resolve();
      this.#connected = undefined;
    } catch (error) {
      this.#lastError = error;
      this.#retryLater();
    } finally {
      this.#connecting = false;
    }
  }

  /** The replica ends; what it was asked it still answers, and what comes waits for its successor. */
  async #leave(channel: Channel): Promise<void> {
    if (this.#channel !== channel) return;
    this.#leaving.add(channel);
    this.#lost(channel);
    await channel.idle();
    this.#leaving.delete(channel);
    channel.close();
  }

  #lost(channel: Channel | undefined): void {
    if (channel === undefined || this.#channel !== channel) return;
    this.#channel = undefined;
    this.#lostAt = performance.now();
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed || this.#timer !== undefined) return;
    // full jitter would let the first retries of many callers coincide with the spawn; half is kept
    const delay = this.#delay * (0.5 + Math.random() / 2);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#connecting) this.#attempt();
    }, delay);
  }

  #absent(): MpError {
    const error = this.#lastError;
    const why = error instanceof MpError && error.code !== "replica_unreachable"
      ? `: ${error.message}`
      : "";
    return new MpError("replica_unreachable", `Cannot reach ${this.name}: no connection${why}`, {
      replica: this.name,
      reason: "absent",
      cause: error,
    });
  }
}

/** A call that waits for a connection. */
class Waiting extends Timed {
  #settle = Promise.withResolvers<void>();
  readonly settled: Promise<void> = this.#settle.promise;

  constructor(
    readonly onChannel: (channel: Channel) => void,
    readonly onError: (error: MpError) => void,
    readonly timedOut: () => MpError,
  ) {
    super();
  }

  succeed(channel: Channel): void {
    deadlines.remove(this);
    this.onChannel(channel);
    this.#settle.resolve();
  }

  fail(error: MpError): void {
    deadlines.remove(this);
    this.onError(error);
    this.#settle.resolve();
  }

  override expire(): void {
    this.onError(this.timedOut());
    this.#settle.resolve();
  }
}
