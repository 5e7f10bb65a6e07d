/**
 * The way to one replica: a connection that is made anew whenever it ends.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";
import type { CallOptions, Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { deadlines } from "./deadlines.ts";
import { fateOf, withFate } from "./fate.ts";
import { type Hello, introduce } from "./handshake.ts";
import { Health } from "./health.ts";
import { type CallHolder, type OutboundCall, PromisedCall } from "./outbound_call.ts";

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
  /** Told when the replica is left out from now on, because its calls fail or because it is silent. */
  onLeftOut?: (why: "failing" | "silent") => void;
}

const FIRST_DELAY = 5;
const LONGEST_DELAY = 500;
const MOST_WAITING = 10_000;

/** See the module's documentation. */
export class Peer implements CallHolder {
  readonly name: string;
  readonly address: Address;
  #options: PeerOptions;
  #patience: number;
  #channel: Channel | undefined;
  /** Connections to a replica that ends, over which it still answers what it was asked. */
  #leaving = new Set<Channel>();
  #lostAt = performance.now();
  #lastError: unknown;
  #waiting = new Map<OutboundCall, WaitingCall>();
  #settled: PromiseWithResolvers<void> | undefined;
  #health = new Health();
  #silent = false;
  #connecting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #delay = FIRST_DELAY;
  #closing = new AbortController();
  #connected: PromiseWithResolvers<void> | undefined;

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

  /**
   * Whether the replica is connected, has been heard of lately, and has not failed one call after the other:
   * whether it should get new work while others can.
   */
  get available(): boolean {
    const channel = this.#channel;
    if (channel === undefined) return false;
    if (this.#health.concerns && !this.#health.mayTry(this.pending)) return false;
    // no answer may mean that handlers wait, which is well, or that the event loop is blocked
    if (!channel.stalled) {
      this.#silent = false;
      return true;
    }
    if (!this.#silent) this.#options.onLeftOut?.("silent");
    this.#silent = true;
    return false;
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
  call(body: string, { timeout = 30_000, meta = "", signal }: CallOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = new PromisedCall(timeout, resolve, reject);
      if (signal && !call.listen(signal)) return;
      this.start(call, body, meta);
    });
  }

  /**
   * Calls the replica; waits for a connection if need be.
   *
   * @param call Hears how it ends.
   */
  start(call: OutboundCall, body: string, meta: string): void {
    if (this.#channel !== undefined) this.#channel.start(call, "", body, meta);
    else this.#startLater(call, body, meta);
  }

  /**
   * Asks the replica itself, rather than its handler.
   *
   * @param timeout In milliseconds.
   */
  ask(target: string, timeout: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = new PromisedCall(timeout, resolve, reject);
      if (this.#channel !== undefined) this.#channel.start(call, target, "", "");
      else call.fail(this.#absent());
    });
  }

  /** Tells the replica something, if it can be expected to hear it now. @returns Whether it can. */
  tell(target: string, body: string): boolean {
    if (this.#channel === undefined || !this.available) return false;
    this.#channel.notify(target, body);
    return true;
  }

  /** Notes that a call has been answered: the replica is well. */
  succeeded(): void {
    if (this.#health.concerns) this.#health.succeeded();
  }

  /** Notes that a call has failed; its fate says whether the replica is to blame. */
  failed(error: MpError): void {
    const fate = fateOf(error);
    if (fate === undefined) this.succeeded();
    else if (error.code === "overloaded") this.#health.spare(error.retryAfter ?? 0);
    else if (fate === "late" && this.#health.failed()) this.#options.onLeftOut?.("failing");
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
    if (this.#waiting.size > 0) await (this.#settled ??= Promise.withResolvers()).promise;
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
    for (const call of this.#takeWaiting().keys()) call.fail(this.#absent());
    deadlines.settle();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** @internal */
  drop(call: OutboundCall): void {
    this.#waiting.delete(call);
    if (this.#waiting.size === 0) this.#settled?.resolve();
  }

  /** @internal */
  late(): MpError {
    return this.#absent();
  }

  #startLater(call: OutboundCall, body: string, meta: string): void {
    const now = performance.now();
    const left = this.#lostAt + this.#patience - now;
    this.connect();
    if (this.#closed || left <= 0) return call.fail(this.#absent());
    if (this.#waiting.size >= MOST_WAITING) return call.fail(this.#crowded());
    call.holder = this;
    this.#waiting.set(call, { body, meta, since: now });
    deadlines.add(call, Math.min(left, call.timeout));
  }

  /** Those who wait for a connection; they do not any more. */
  #takeWaiting(): ReadonlyMap<OutboundCall, WaitingCall> {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const call of waiting.keys()) deadlines.remove(call);
    this.#settled?.resolve();
    return waiting;
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
        onClose: (reason) => this.#broke(channel, reason),
        onLeaving: () => {
          leaves = true;
          if (channel) this.#leave(channel);
        },
        onLast: () => {
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
      const now = performance.now();
      for (const [call, { body, meta, since }] of this.#takeWaiting()) {
        call.timeout = Math.max(1, call.timeout - (now - since));
        channel.start(call, "", body, meta);
      }
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

  #broke(channel: Channel | undefined, reason: MpError | undefined): void {
    if (reason && channel && channel === this.#channel && this.#health.failed()) {
      this.#options.onLeftOut?.("failing");
    }
    this.#lost(channel);
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
    const cause = this.#lastError;
    // it is there, and does not want this caller
    const refused = cause instanceof MpError && cause.code !== "replica_unreachable";
    const why = refused ? `: ${cause.message}` : "";
    const error = new MpError(
      "replica_unreachable",
      `Cannot reach ${this.name}: no connection${why}`,
      { replica: this.name, reason: refused ? "refused" : "absent", cause },
    );
    return withFate(error, "unstarted");
  }

  #crowded(): MpError {
    const error = new MpError(
      "overloaded",
      `Cannot call ${this.name}: ${MOST_WAITING} calls wait for it`,
      { replica: this.name },
    );
    return withFate(error, "unstarted");
  }
}

/** A call that waits for a connection. */
interface WaitingCall {
  readonly body: string;
  readonly meta: string;
  /** `performance.now()` */
  readonly since: number;
}
