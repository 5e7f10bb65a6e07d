/**
 * What a container runs to look at replicas, since nothing else is in its image: a replica's program and
 * environment with the argument `probe`.
 *
 * `MP_PROBE=self` (default) connects to the replica of the environment and exits with 0 when it accepts, for
 * an engine's health check: busy is not dead. `MP_PROBE=tree` looks at all replicas of the address book and
 * writes a {@linkcode Sighting} a line, again whenever one changes, until all are ready or `MP_PROBE_FOR`
 * milliseconds are over. `MP_PROBE=relay` resolves when the replica does nothing any more but to pass on its
 * doors as the address book says, or `MP_PROBE_FOR` milliseconds are over, which is exit status 1.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { messageOf } from "../errors.ts";
import type { AddressBook, ReplicaAddress } from "../launch/address_book.ts";
import { dial, parseAddress } from "../peer/address.ts";
import { identify } from "./identity.ts";
import { toldPassedOn } from "./relays.ts";

/** How a replica looks from outside; JSON. */
export interface Sighting {
  readonly path: string;
  readonly index: number;
  /** `busy`: it accepts and does not answer. `absent`: it does not accept. */
  readonly state: "ready" | "starting" | "busy" | "absent";
  /** What a replica that starts waits for. */
  readonly missing?: readonly string[];
}

/** How long a replica may take to answer before it counts as busy, in milliseconds. */
const BUSY_AFTER = 1_000;
/** How often to look again, in milliseconds. */
const PAUSE = 100;

/** Looks at what the environment says. @returns The exit status. */
export async function probe(
  env: Readonly<Record<string, string | undefined>>,
  write: (line: string) => void = console.log,
): Promise<number> {
  const { path, index, book } = identify(env, Deno.hostname);
  const text = "text" in book ? book.text : await Deno.readTextFile(book.file);
  const { replicas, doors, generation } = JSON.parse(text) as AddressBook;
  if (env.MP_PROBE === "tree") {
    return await watchTree(replicas, Number(env.MP_PROBE_FOR ?? 0), write);
  }
  if (env.MP_PROBE === "relay") return await awaitRelay(generation, Number(env.MP_PROBE_FOR ?? 0));
  const own = replicas.find((one) => one.path === path && one.index === index);
  const passed = doors.find(({ node, passTo }) => node === path && passTo !== undefined);
  try {
    if (own === undefined) throw new Error("the address book does not list it");
    (await dial(passed?.listen ?? own.peer)).close();
    return 0;
  } catch (error) {
    write(`${path}.${index} does not accept: ${messageOf(error)}`);
    return 1;
  }
}

async function awaitRelay(generation: number, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  while (await toldPassedOn() < generation) {
    if (performance.now() >= end) return 1;
    await delay(PAUSE);
  }
  return 0;
}

async function watchTree(
  replicas: readonly ReplicaAddress[],
  milliseconds: number,
  write: (line: string) => void,
): Promise<number> {
  const end = performance.now() + milliseconds;
  const seen = new Map<ReplicaAddress, string>();
  for (;;) {
    const sightings = await Promise.all(
      // what is ready is looked at once
      replicas.filter((one) => !seen.get(one)?.includes('"ready"')).map(async (one) => {
        const line = JSON.stringify(await look(one));
        if (seen.get(one) === line) return;
        seen.set(one, line);
        write(line);
      }),
    );
    if (sightings.length === 0 || performance.now() >= end) break;
    await delay(PAUSE);
  }
  return 0;
}

async function look({ path, index, peer, http }: ReplicaAddress): Promise<Sighting> {
  const at = parseAddress(http);
  if (at.transport !== "tcp") throw new TypeError(`Cannot look at ${http}: it is no TCP port`);
  try {
    const response = await fetch(`http://${at.hostname}:${at.port}/readyz`, {
      signal: AbortSignal.timeout(BUSY_AFTER),
    });
    const { ready, missing } = await response.json();
    return ready ? { path, index, state: "ready" } : { path, index, state: "starting", missing };
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    // its own endpoint opens after that for its peers
    const state = await accepts(peer) ? late ? "busy" : "starting" : "absent";
    return { path, index, state };
  }
}

async function accepts(peer: ReplicaAddress["peer"]): Promise<boolean> {
  try {
    (await dial(peer)).close();
    return true;
  } catch {
    return false;
  }
}
