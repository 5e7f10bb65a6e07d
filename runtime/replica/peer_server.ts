/**
 * Where a replica takes calls from its peers.
 *
 * @module
 */

import { Payload } from "../payload.ts";
import type { Channel } from "../peer/channel.ts";
import {
  admit,
  type Credentials,
  HANDED_ON,
  type Hello,
  LEAVING,
  SURVEY,
} from "../peer/handshake.ts";
import type { InboundCall } from "../peer/inbound_call.ts";
import { CallContext } from "./call_context.ts";
import { decodeMeta } from "./call_meta.ts";
import type { PeerListener } from "../peer/transport.ts";
import type { ReplicaInfo } from "../topology/context.ts";
import type { Responder } from "./responder.ts";

/** Options of {@linkcode PeerServer}. */
export interface PeerServerOptions {
  readonly listener: PeerListener;
  readonly credentials: Credentials;
  readonly service: string;
  readonly replica: ReplicaInfo;
  readonly respond: Responder;
  /** Takes a scope that another replica has handed on. */
  readonly onHandedOn?: (baton: string) => void;
  /** What the replica is missing. */
  readonly survey: () => Promise<readonly string[]>;
}

/** How long a drained replica waits, after the last call, for callers that keep their connection for later. */
const QUIET = 500;

/** Admits peers and answers their calls. */
export class PeerServer {
  #options: PeerServerOptions;
  #channels = new Map<Channel, Hello["as"] | "stranger">();
  #lastServed = 0;
  #closed = false;
  #onChange: (() => void) | undefined;

  constructor(options: PeerServerOptions) {
    this.#options = options;
    this.#accept();
  }

  /** How many callers are connected. */
  get connections(): number {
    return this.#channels.size;
  }

  /** How many calls have no answer yet. */
  get serving(): number {
    let serving = 0;
    for (const channel of this.#channels.keys()) serving += channel.serving;
    return serving;
  }

  /**
   * Resolves when no peer will call any more: routers that need this replica have closed their
   * connections, and other callers have been quiet for a while.
   */
  async drained(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const kinds = [...this.#channels.values()];
      const quiet = QUIET - (performance.now() - this.#lastServed);
      if (
        !kinds.includes("part") && this.serving === 0 && (quiet <= 0 || !kinds.includes("service"))
      ) return;
      await this.#changed(kinds.includes("part") ? undefined : Math.max(quiet, 20), signal);
    }
  }

  /** Accepts no more connections, and sends those who have one elsewhere. */
  leave(): void {
    this.#stopListening();
    for (const channel of this.#channels.keys()) channel.notify(LEAVING, "");
  }

  /** Begins no more calls, and says so. Resolves when that has left, or its callers have. */
  async last(): Promise<void> {
    this.#stopListening();
    const channels = [...this.#channels.keys()];
    for (const channel of channels) channel.last();
    await Promise.all(channels.map((channel) => channel.flush()));
  }

  /** Accepts no more connections and closes those there are. */
  close(): void {
    this.#stopListening();
    for (const channel of this.#channels.keys()) channel.close();
  }

  #stopListening(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.listener.close();
  }

  async #accept(): Promise<void> {
    const { listener, credentials, replica } = this.#options;
    try {
      for await (const conn of listener) {
        if (this.#closed) return conn.close();
        const channel: Channel = admit(
          conn,
          { ...credentials, name: replica.name },
          (hello, accepted) => {
            this.#channels.set(accepted, hello.as);
            if (this.#closed) accepted.notify(LEAVING, "");
            return {
              onCall: (target, body, call) =>
                target === SURVEY ? this.#survey() : this.#answer(body, call),
              onNotice: (target, body) => {
                if (target === HANDED_ON) this.#options.onHandedOn?.(body);
              },
            };
          },
        );
        this.#channels.set(channel, "stranger");
        channel.closed.then(() => {
          this.#channels.delete(channel);
          this.#onChange?.();
        });
      }
    } catch (error) {
      // closing the listener ends the loop; anything else is a fault of the system
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #answer(body: string, call: InboundCall): Promise<string> | string {
    const { service, replica, respond } = this.#options;
    this.#lastServed = performance.now();
    const context = new CallContext({
      service,
      replica,
      timeout: call.timeout,
      ...decodeMeta(call.meta),
    });
    call.cancels = context;
    const reply = respond(Payload.ofText(body), context);
    return reply instanceof Promise ? reply.then(textOf) : reply.text;
  }

  async #survey(): Promise<string> {
    return JSON.stringify(await this.#options.survey());
  }

  #changed(milliseconds: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined = undefined;
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#onChange = undefined;
        resolve();
      };
      if (milliseconds !== undefined) timer = setTimeout(done, milliseconds);
      signal.addEventListener("abort", done, { once: true });
      this.#onChange = done;
    });
  }
}

const textOf = (payload: Payload): string => payload.text;
