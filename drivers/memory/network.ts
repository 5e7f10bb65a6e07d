/**
 * The network between replicas that live in one process: connections that carry the same bytes as
 * sockets, and a weather that delays, holds and loses them.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Address } from "../../runtime/launch/address_book.ts";
import type { Connection } from "../../runtime/peer/connection.ts";
import { type Line, readLine } from "../../runtime/peer/line.ts";
import type { PeerListener, Transport } from "../../runtime/peer/transport.ts";
import { Flow } from "./flow.ts";
import { Incoming } from "./incoming.ts";
import { Pipe } from "./pipe.ts";

/** One line that somebody sends to somebody else. */
export interface Message {
  /** Numbers the connections of a network from 1. */
  readonly connection: number;
  /** The sender: the name of a replica, or of whoever else calls. */
  readonly from: string;
  readonly to: string;
  readonly line: Line;
}

/** What becomes of a message: it arrives after some milliseconds, at the earliest; it is lost; it waits. */
export type Fate = number | "lost" | "held";

/** What decides over messages. */
export interface Weather {
  /** Asked for each message, in the order in which they are sent. */
  judge(message: Message): Fate;
  /** What becomes of an attempt to connect, or of the news that a connection has ended. */
  judgeEnd(from: string, to: string): Exclude<Fate, "lost">;
  /** What becomes of a request to a door, or its response. Default: as {@linkcode judgeEnd}. */
  judgeDoor?(from: string, to: string): Fate;
}

/** Told of each message and its fate. */
export type OnMessage = (message: Message, fate: Fate) => void;

/** Everything arrives at once. */
const CALM: Weather = { judge: () => 0, judgeEnd: () => 0 };

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Somebody in the network, from its beginning to its end. */
export interface MemoryHost extends Transport {
  readonly name: string;
  /** Ends everything that it has at once, as the system does for a process that is killed. */
  cut(): void;
}

/** Both ends of a connection. */
interface Link {
  readonly number: number;
  readonly hosts: readonly [MemoryHost, MemoryHost];
  readonly flows: readonly [Flow, Flow];
  readonly ends: [boolean, boolean];
}

/** See the module's documentation. */
export class MemoryNetwork {
  /** What decides over messages from now on. */
  weather: Weather = CALM;
  #listeners = new Map<Address, { readonly host: MemoryHost; readonly incoming: Incoming }>();
  #links = new Set<Link>();
  #count = 0;
  #onMessage: OnMessage | undefined;
  /** Those that are stopped: nothing reaches them, and nothing leaves them. */
  #paused = new Set<string>();
  /** Attempts to connect that are on their way, or wait. */
  #dials = new Set<() => void>();
  #isClosed = false;

  constructor(onMessage?: OnMessage) {
    this.#onMessage = onMessage;
  }

  /** Adds a host. @param name The name of a replica, or of whoever else calls. */
  join(name: string): MemoryHost {
    const host: MemoryHost = {
      name,
      dial: (address) => this.#dial(host, address),
      listen: (address) => this.#listen(host, address),
      cut: () => this.#cut(host),
    };
    return host;
  }

  #cut(host: MemoryHost): void {
    for (const [address, listener] of this.#listeners) {
      if (listener.host !== host) continue;
      this.#listeners.delete(address);
      listener.incoming.close();
    }
    for (const link of [...this.#links]) {
      link.hosts.forEach((end, i) => end === host && this.#close(link, i as 0 | 1));
    }
    this.#paused.delete(host.name);
  }

  /** Ends all connections. */
  close(): void {
    this.#isClosed = true;
    for (const dial of [...this.#dials]) dial();
    for (const { incoming } of [...this.#listeners.values()]) incoming.close();
    for (const link of [...this.#links]) this.#reset(link);
  }

  /** Ends the connections between two hosts. */
  reset(one: string, other: string): void {
    for (const link of [...this.#links]) {
      const names = link.hosts.map(({ name }) => name);
      if (names.includes(one) && names.includes(other)) this.#reset(link);
    }
  }

  /** Stops a host, or lets it go on. */
  pause(host: string, paused: boolean): void {
    if (paused) this.#paused.add(host);
    else this.#paused.delete(host);
    this.release();
  }

  /** Has what is held judged again, since the weather has changed. */
  release(): void {
    for (const dial of [...this.#dials]) dial();
    for (const { flows } of this.#links) for (const flow of flows) flow.release();
  }

  #listen(host: MemoryHost, address: Address): PeerListener {
    const incoming: Incoming = new Incoming(() => {
      if (this.#listeners.get(address)?.incoming === incoming) this.#listeners.delete(address);
    });
    this.#listeners.set(address, { host, incoming });
    return incoming;
  }

  async #dial(host: MemoryHost, address: Address): Promise<Connection> {
    const to = hostOf(address);
    await this.#travel(host.name, to, () => this.weather.judgeEnd(host.name, to));
    const listener = this.#listeners.get(address);
    if (listener === undefined) {
      throw new MpError("replica_unreachable", `Cannot reach ${to}: nobody listens`, {
        replica: to,
        reason: "absent",
      });
    }
    return this.#connect([host, listener.host], listener.incoming);
  }

  /** Resolves when a request to a door, or its response, has come from one host to another; if it does. */
  async carry(from: string, to: string): Promise<void> {
    await this.#travel(from, to, () => {
      const { weather } = this;
      return weather.judgeDoor ? weather.judgeDoor(from, to) : weather.judgeEnd(from, to);
    });
  }

  async #travel(from: string, to: string, judge: () => Fate): Promise<void> {
    for (;;) {
      const fate = this.#paused.has(from) || this.#paused.has(to) ? "held" : judge();
      if (fate === 0 || this.#isClosed) return;
      if (fate === "lost") return await new Promise(() => {});
      await new Promise<void>((resolve) => {
        const end = () => {
          this.#dials.delete(end);
          clearTimeout(timer);
          resolve();
        };
        const timer = fate === "held" ? undefined : setTimeout(end, fate);
        this.#dials.add(end);
      });
      if (fate !== "held") return;
    }
  }

  #connect(hosts: Link["hosts"], incoming: Incoming): Connection {
    const number = ++this.#count;
    const [{ name: from }, { name: to }] = hosts;
    const flows = [this.#flow(number, from, to), this.#flow(number, to, from)] as const;
    const link: Link = { number, hosts, flows, ends: [false, false] };
    this.#links.add(link);
    incoming.push(this.#end(link, 1));
    return this.#end(link, 0);
  }

  /** What one side sends to the other. */
  #flow(connection: number, from: string, to: string): Flow {
    return new Flow(new Pipe(), (bytes) => {
      const isHeld = this.#paused.has(from) || this.#paused.has(to);
      const line = bytes && readLine(decoder.decode(bytes.subarray(0, -1)));
      // the end of a connection takes the way that its beginning took
      if (line === undefined) return isHeld ? "held" : this.weather.judgeEnd(from, to);
      const message = { connection, from, to, line };
      const fate = isHeld ? "held" : this.weather.judge(message);
      this.#onMessage?.(message, fate);
      return fate;
    });
  }

  /** One end of a connection. */
  #end(link: Link, side: 0 | 1): Connection {
    const out = link.flows[side];
    const into = link.flows[1 - side]!;
    return {
      read: (buffer) => into.pipe.read(buffer),
      async write(bytes) {
        if (link.ends[side]) throw new Deno.errors.BrokenPipe("the connection is closed");
        // they may be on their way for long, and whoever writes them uses their memory again
        out.send(bytes.slice());
        await out.pipe.room();
        return bytes.length;
      },
      close: () => this.#close(link, side),
    };
  }

  /** Both sides learn that the connection has ended, and what is on its way is lost. */
  #reset(link: Link): void {
    for (const flow of link.flows) {
      flow.drop();
      flow.pipe.abandon();
    }
    link.ends.fill(true);
    this.#links.delete(link);
  }

  #close(link: Link, side: 0 | 1): void {
    if (link.ends[side]) return;
    link.ends[side] = true;
    link.flows[1 - side]!.drop();
    link.flows[1 - side]!.pipe.abandon();
    if (link.ends[1 - side]) this.#links.delete(link);
    else link.flows[side]!.end();
  }
}

/** Whose address it is. */
export function hostOf(address: Address): string {
  return address.slice(address.lastIndexOf("/") + 1);
}

/** The address at which a replica listens for its peers. */
export function peerAddress(tree: number | string, replica: string): Address {
  return `memory:${tree}/${replica}`;
}
