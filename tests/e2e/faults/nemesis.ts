/**
 * Who does harm: faults one after the other, in an order and of a length that a seed gives.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { Seeded } from "../../support/seeded.ts";
import type { TcpProxy } from "../../support/servers/tcp_proxy.ts";
import type { TestServer } from "../../support/servers/test_server.ts";

/** What a fault has to do with. */
export interface Victims {
  readonly proxy?: TcpProxy;
  readonly server?: TestServer;
  /** Locks the storage for others as long as `held` takes. */
  lock?(held: () => Promise<void>): Promise<void>;
  /** Signals a replica of `faults.compute`, or with `"door"` the one that callers reach. */
  signal(replica: number | "door", signal: Deno.Signal): void;
}

/** One kind of fault. It begins, lasts for a while, and ends. */
export type Fault = (victims: Victims, random: Seeded, milliseconds: number) => Promise<void>;

const REPLICAS = 4;

/** Faults of replicas, whatever the storage. */
export const REPLICA_FAULTS: Readonly<Record<string, Fault>> = {
  // deno-lint-ignore require-await -- it is over at once
  async "a replica is killed"({ signal }, random) {
    signal(random.between(0, REPLICAS - 1), "SIGKILL");
  },
  // deno-lint-ignore require-await -- it is over at once
  async "two replicas are killed"({ signal }, random) {
    const [one, other] = random.shuffled([...Array(REPLICAS).keys()]);
    signal(one!, "SIGKILL");
    signal(other!, "SIGKILL");
  },
  // deno-lint-ignore require-await -- it is over at once
  async "the replica with the door is killed"({ signal }) {
    signal("door", "SIGKILL");
  },
  async "a replica stops and goes on"({ signal }, random, milliseconds) {
    const replica = random.between(0, REPLICAS - 1);
    signal(replica, "SIGSTOP");
    await delay(milliseconds);
    signal(replica, "SIGCONT");
  },
};

/** Faults of a server, and of the network before it. */
export const SERVER_FAULTS: Readonly<Record<string, Fault>> = {
  async "the server is killed"({ server }, _random, milliseconds) {
    await server!.kill();
    await delay(milliseconds);
    await server!.start();
  },
  async "the server is killed and is back at once"({ server }) {
    await server!.kill();
    await server!.start();
  },
  // deno-lint-ignore require-await -- it is over at once
  async "connections are cut"({ proxy }) {
    proxy!.cut();
  },
  async "replies are lost"({ proxy }, _random, milliseconds) {
    proxy!.holdReplies(true);
    await delay(milliseconds);
    proxy!.cut();
    proxy!.holdReplies(false);
  },
  async "the network stalls"({ proxy }, _random, milliseconds) {
    proxy!.stall(true);
    await delay(milliseconds);
    proxy!.stall(false);
  },
  async "the network stalls and connections are cut"({ proxy }, _random, milliseconds) {
    proxy!.stall(true);
    await delay(milliseconds);
    proxy!.cut();
    proxy!.stall(false);
  },
  async "connections are refused"({ proxy }, _random, milliseconds) {
    proxy!.refuse(true);
    await delay(milliseconds);
    proxy!.refuse(false);
  },
  async "the network is slow"({ proxy }, random, milliseconds) {
    proxy!.delay(() => random.between(0, 20));
    await delay(milliseconds);
    proxy!.delay(0);
  },
  async "the server stops and goes on"({ server }, _random, milliseconds) {
    server!.signal("SIGSTOP");
    await delay(milliseconds);
    server!.signal("SIGCONT");
  },
};

/** Faults of a file. */
export const FILE_FAULTS: Readonly<Record<string, Fault>> = {
  "another program keeps the file locked": ({ lock }, _random, milliseconds) =>
    lock!(() => delay(milliseconds)),
};

/** Options of {@linkcode harm}. */
export interface HarmOptions {
  readonly faults: Readonly<Record<string, Fault>>;
  readonly victims: Victims;
  readonly random: Seeded;
  /** How long a fault lasts at most, in milliseconds. */
  readonly longest: number;
  /** Resolves when it is time for the fault of that number; with `false` when there are to be no more. */
  next(number: number): Promise<boolean>;
}

/** Does harm. Every fault comes once before any comes again. @returns How often each came. */
export async function harm(options: HarmOptions): Promise<Map<string, number>> {
  const { faults, victims, random, longest, next } = options;
  const counts = new Map<string, number>();
  let round: string[] = [];
  for (let number = 0; await next(number); number++) {
    if (round.length === 0) round = random.shuffled(Object.keys(faults));
    const name = round.pop()!;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    await faults[name]!(victims, random, random.between(10, longest));
  }
  return counts;
}
