/**
 * The assign stage of the docker driver: names in the network of the tree, and published ports for doors.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { AddressBook, DoorAddress } from "../../runtime/launch/address_book.ts";
import type { AssignOptions } from "../../runtime/launch/driver.ts";
import { inheritedDoor } from "../../runtime/launch/inherit_door.ts";
import { tcpAddress } from "../../runtime/peer/address.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { DOOR_PORT, hostName, HTTP_PORT, PEER_PORT } from "./names.ts";

/** Who listens on a port of this machine, where that can be known. */
export type PortOwner = (
  port: number,
) => Promise<{ readonly pid: number; readonly command: string } | undefined>;

/**
 * Gives every replica its address.
 *
 * @throws {MpError} `port_in_use`, naming the owner where it can be known; `launch_failed` for a host that is no
 * address.
 */
export async function assign(
  plan: Plan,
  options: AssignOptions,
  portOwner: PortOwner,
): Promise<AddressBook> {
  const { scales, replaces, tree = 1 } = options;
  const doors: DoorAddress[] = [];
  const held: Deno.Listener[] = [];
  try {
    for (const [i, door] of plan.doors.entries()) {
      const inherited = scales?.doors[i]?.address === undefined
        ? inheritedDoor(door, options, plan, replaces)
        : undefined;
      const address = scales?.doors[i]?.address ?? inherited ??
        await placeOf(door.port ?? options.port, options, held, portOwner);
      const relayed = inherited !== undefined || scales?.doors[i]?.relayed === true;
      const listen = tcpAddress("0.0.0.0", DOOR_PORT + i);
      doors.push({ node: door.node, address, listen, ...(relayed && { relayed }) });
    }
  } finally {
    for (const listener of held) listener.close();
  }
  return {
    revision: plan.revision,
    generation: (scales?.generation ?? 0) + 1,
    replicas: plan.nodes.flatMap(({ path, replicas }) =>
      Array.from({ length: replicas }, (_, index) => {
        const host = hostName({ path, index }, tree);
        return {
          path,
          index,
          peer: tcpAddress(host, PEER_PORT),
          http: tcpAddress(host, HTTP_PORT),
        };
      })
    ),
    doors,
  };
}

/** Where a door is published. */
async function placeOf(
  port: number,
  { host, elsewhere }: AssignOptions,
  held: Deno.Listener[],
  portOwner: PortOwner,
) {
  if (elsewhere && port > 0) return tcpAddress(host, port);
  return await findPort(host, port, held, portOwner);
}

/** The address of a port that is free on this machine, where the engine is to publish it. */
async function findPort(
  host: string,
  port: number,
  held: Deno.Listener[],
  portOwner: PortOwner,
) {
  try {
    const listener = Deno.listen({ hostname: host, port });
    held.push(listener);
    return tcpAddress(listener.addr.hostname, listener.addr.port);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw portInUse(host, port, await portOwner(port));
    }
    // the engine has rights of its own
    if (error instanceof Deno.errors.PermissionDenied) return tcpAddress(host, port);
    throw new MpError("launch_failed", `Cannot listen on ${host}:${port}: ${messageOf(error)}`, {
      cause: error,
      next: "Choose an address of this machine with --host, such as --host 127.0.0.1",
    });
  }
}

/** The error for a port in use. */
export function portInUse(
  host: string,
  port: number,
  owner?: { readonly pid: number; readonly command: string },
): MpError {
  const who = owner ? `process ${owner.pid} (${owner.command.slice(0, 80)})` : "another process";
  return new MpError("port_in_use", `Cannot listen on ${host}:${port}: ${who} does`, {
    next: `${
      owner ? "Stop it, or choose" : "Choose"
    } another port with --port, such as --port 0 for any that is free`,
  });
}
