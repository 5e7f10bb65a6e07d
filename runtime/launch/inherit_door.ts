/**
 * Which door of a tree of replicas its successor takes over. Pure.
 *
 * @module
 */

import { parseAddress } from "../peer/address.ts";
import type { Door, Plan } from "../plan/plan.ts";
import type { Address, AddressBook } from "./address_book.ts";
import type { AssignOptions } from "./driver.ts";

/** The door of the tree before that is to be taken over: the one on that port, or the one on a port that nobody named. */
export function inheritedDoor(
  door: Door,
  { host, port }: Pick<AssignOptions, "host" | "port">,
  plan: Plan,
  replaces: AddressBook | undefined,
): Address | undefined {
  const fixed = new Set(plan.doors.map((door) => door.port));
  return replaces?.doors.map(({ address }) => address).find((address) => {
    const parsed = parseAddress(address);
    if (parsed.transport !== "tcp") return false;
    if (door.port === null && port === 0) return !fixed.has(parsed.port);
    return parsed.port === (door.port ?? port) &&
      (parsed.hostname === host || host === "localhost");
  });
}
