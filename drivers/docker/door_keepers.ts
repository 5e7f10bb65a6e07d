/**
 * Containers that have a published port. An engine cannot move it to another container, so across updates the
 * first one keeps it, and passes on what comes in to the tree that runs: no call fails, and none is refused.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { Address, AddressBook, DoorAddress } from "../../runtime/launch/address_book.ts";
import { parseAddress, tcpAddress } from "../../runtime/peer/address.ts";
import {
  getFiles,
  inspectContainer,
  listContainers,
  type ListedContainer,
  removeContainer,
  renameContainer,
  runIn,
  startContainer,
  stopContainer,
} from "./containers.ts";
import type { Engine } from "./engine.ts";
import { inGroups } from "./in_groups.ts";
import { PLACES } from "./manifest.ts";
import { hostName, keeperName, LABELS } from "./names.ts";
import { putTreeFiles } from "./tree_files.ts";

/** How long to wait for a keeper that answers what came before, besides the grace, in milliseconds. */
const MARGIN = 5_000;
/** How long to wait before one is started again that somebody has killed, in milliseconds. */
const PAUSE = 100;

/** The containers of an app that have published ports. */
export function listWithPorts(
  engine: Engine,
  app: string,
  signal?: AbortSignal,
): Promise<readonly ListedContainer[]> {
  return listContainers(engine, { [LABELS.app]: app, [LABELS.ports]: undefined }, signal);
}

/** Where the doors of a tree are in the network of the deployment, by where callers find them. */
export function doorsWithin({ doors }: AddressBook, tree: number): Map<Address, Address> {
  return new Map(doors.map(({ node, address, listen = address }) => {
    const at = parseAddress(listen);
    if (at.transport === "unix") throw new TypeError(`Cannot pass on to ${listen}`);
    return [address, tcpAddress(hostName({ path: node, index: 0 }, tree), at.port)];
  }));
}

/** The book of a keeper that passes its doors on. Pure. */
export function passOnBook(book: AddressBook, to: ReadonlyMap<Address, Address>): AddressBook {
  const doors = book.doors.map(({ passTo: _, ...door }): DoorAddress => {
    const passTo = to.get(door.address);
    return passTo === undefined ? door : { ...door, passTo };
  });
  return { ...book, generation: book.generation + 1, doors };
}

/**
 * Has the containers with the doors of trees before pass on what comes in. Resolves when they do, and have answered
 * what came before.
 *
 * @returns Their ids.
 * @throws {MpError} When the engine cannot be reached.
 */
export async function passOnDoors(
  engine: Engine,
  app: string,
  { book, tree, grace }: {
    readonly book: AddressBook;
    readonly tree: number;
    readonly grace: number;
  },
): Promise<ReadonlySet<string>> {
  const to = doorsWithin(book, tree);
  const keepers = new Set<string>();
  await inGroups(await listWithPorts(engine, app), async ({ Id, Labels, State }, gone) => {
    if (Labels[LABELS.tree] === String(tree)) return;
    const ports = JSON.parse(Labels[LABELS.ports]!) as Address[];
    if (!ports.some((address) => to.has(address))) return;
    keepers.add(Id);
    await passOn(engine, Id, { to, grace, runs: State === "running", signal: gone });
    await renameContainer(engine, Id, keeperName(app, Id), gone);
  });
  return keepers;
}

async function passOn(
  engine: Engine,
  id: string,
  { to, grace, runs, signal }: {
    readonly to: ReadonlyMap<Address, Address>;
    readonly grace: number;
    readonly runs: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const files = await getFiles(engine, id, PLACES.book, signal);
  const book = passOnBook(JSON.parse(files.get("book.json")!), to);
  await putTreeFiles(engine, id, { book }, signal);
  // one that does not run, or ends meanwhile, reads the book when it starts
  if (!runs) return await startContainer(engine, id, signal);
  const { Config } = await inspectContainer(engine, id);
  const env = { MP_PROBE: "relay", MP_PROBE_FOR: String(grace + MARGIN) };
  await runIn(engine, id, { command: [...Config.Cmd, "probe"], env, signal });
}

/** The containers of an app that keep doors for later trees. */
export class DoorKeepers {
  #engine: Engine;
  #app: string;
  #ids = new Set<string>();
  #over = new AbortController();

  constructor(engine: Engine, app: string) {
    this.#engine = engine;
    this.#app = app;
  }

  /** Those there are now. */
  keep(ids: Iterable<string>): void {
    for (const id of ids) this.#ids.add(id);
  }

  /** Looks for those that earlier launchers have left. @param tree The tree that runs. */
  async find(tree: number, signal?: AbortSignal): Promise<void> {
    const all = await listWithPorts(this.#engine, this.#app, signal);
    this.keep(all.filter(({ Labels }) => Labels[LABELS.tree] !== String(tree)).map(({ Id }) => Id));
  }

  /** Starts one again that has ended, which the engine does not do when somebody killed it by its command. */
  async ended(id: string): Promise<void> {
    const { signal } = this.#over;
    if (!this.#ids.has(id) || signal.aborted) return;
    try {
      await delay(PAUSE, { signal });
      await startContainer(this.#engine, id, signal);
    } catch {
      // it is gone, or the launcher goes, or the engine does
    }
  }

  /** Removes those that keep no door of a tree. */
  async removeOthers(book: AddressBook): Promise<void> {
    const addresses = new Set(book.doors.map(({ address }) => address));
    for (const { Id, Labels } of await listWithPorts(this.#engine, this.#app)) {
      const ports = JSON.parse(Labels[LABELS.ports]!) as Address[];
      if (!this.#ids.has(Id) || ports.some((port) => addresses.has(port))) continue;
      this.#ids.delete(Id);
      await removeContainer(this.#engine, Id);
    }
  }

  /** Lets them end what they pass on. */
  async stop(grace: number): Promise<void> {
    this.leave();
    await inGroups([...this.#ids], (id, gone) => stopContainer(this.#engine, id, grace, gone));
  }

  /** Lets them go on by themselves. */
  leave(): void {
    this.#over.abort();
  }
}
