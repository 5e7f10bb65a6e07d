/**
 * The assign stage of the process driver: where every replica will be.
 *
 * Replicas listen on Unix sockets with short names in the tree's private folder, and on loopback TCP
 * where there are none (Windows). A restarted replica comes back at its own address.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { Address, AddressBook, ReplicaAddress } from "../../runtime/launch/address_book.ts";
import type { AssignOptions } from "../../runtime/launch/driver.ts";
import { inheritedDoor } from "../../runtime/launch/inherit_door.ts";
import { tcpAddress } from "../../runtime/peer/address.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { nameOf } from "./manifest.ts";
import { portOwner } from "./port_owner.ts";
import { nameTreeFolder } from "./tree_folder.ts";

/**
 * Gives every replica its address.
 *
 * @throws {MpError} `port_in_use`, naming the owner where it can be known, `launch_failed`.
 */
export async function assign(plan: Plan, options: AssignOptions): Promise<AddressBook> {
  // listeners hold what was picked, so that nothing is picked twice
  const held: Deno.Listener[] = [];
  try {
    const doors = await assignDoors(plan, options, held);
    const { scales } = options;
    const folder = scales?.folder ?? nameTreeFolder();
    return {
      revision: plan.revision,
      generation: (scales?.generation ?? 0) + 1,
      folder,
      replicas: assignReplicas(plan, folder, scales, held),
      doors,
    };
  } finally {
    for (const listener of held) listener.close();
  }
}

function assignReplicas(
  plan: Plan,
  folder: string,
  scales: AddressBook | undefined,
  held: Deno.Listener[],
): ReplicaAddress[] {
  const known = new Map(scales?.replicas.map((replica) => [nameOf(replica), replica]));
  let next = Math.max(-1, ...[...known.values()].map(({ peer }) => socketNumber(peer))) + 1;
  return plan.nodes.flatMap(({ path, replicas }) =>
    Array.from({ length: replicas }, (_, index): ReplicaAddress => {
      const stays = known.get(nameOf({ path, index }));
      if (stays) return stays;
      if (Deno.build.os === "windows") {
        return { path, index, peer: freeAddress(held), http: freeAddress(held) };
      }
      const socket = `unix:${folder}/${next++}` as const;
      return { path, index, peer: `${socket}.p`, http: `${socket}.h` };
    })
  );
}

function socketNumber(peer: Address): number {
  return Number(/\/(\d+)\.p$/.exec(peer)?.[1] ?? -1);
}

function freeAddress(held: Deno.Listener[]): Address {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  held.push(listener);
  return tcpAddress("127.0.0.1", listener.addr.port);
}

async function assignDoors(
  plan: Plan,
  { host, port, replaces, scales }: AssignOptions,
  held: Deno.Listener[],
): Promise<AddressBook["doors"]> {
  if (scales) return scales.doors;
  const doors: { node: string; address: Address }[] = [];
  for (const door of plan.doors) {
    const address = inheritedDoor(door, { host, port }, plan, replaces) ??
      await findPort(host, door.port ?? port, held);
    doors.push({ node: door.node, address });
  }
  return doors;
}

/** The address of a port that is free, which is bound by its number and not by the host's name. */
async function findPort(host: string, port: number, held: Deno.Listener[]): Promise<Address> {
  try {
    // without reusePort: it fails when anybody else is there, even another deployment of this user
    const listener = Deno.listen({ hostname: host, port });
    held.push(listener);
    return tcpAddress(listener.addr.hostname, listener.addr.port);
  } catch (error) {
    throw error instanceof Deno.errors.AddrInUse
      ? await portInUse(host, port)
      : cannotListen(host, port, error);
  }
}

/** The error for a port in use, with its owner. */
export async function portInUse(host: string, port: number): Promise<MpError> {
  const owner = await portOwner(port);
  const who = owner?.app !== undefined
    ? `app "${owner.app}" (process ${owner.pid})`
    : owner
    ? `process ${owner.pid} (${shorten(owner.command)})`
    : "another process";
  return new MpError("port_in_use", `Cannot listen on ${host}:${port}: ${who} does`, {
    next: owner
      ? `Stop it${
        owner.app === undefined ? "" : ` with mp delete ${owner.app}`
      }, or choose another port with --port, such as --port 0 for any that is free`
      : `Choose another port with --port, such as --port 0 for any that is free`,
  });
}

function cannotListen(host: string, port: number, error: unknown): MpError {
  const denied = error instanceof Deno.errors.PermissionDenied;
  return new MpError("launch_failed", `Cannot listen on ${host}:${port}: ${messageOf(error)}`, {
    cause: error,
    next: denied
      ? "Choose a port above 1023 with --port"
      : "Choose an address of this machine with --host, such as --host 127.0.0.1",
  });
}

function shorten(command: string): string {
  return command.length > 80 ? `${command.slice(0, 79)}…` : command || "its name is not known";
}
