/**
 * The other replicas of a deployment, as transactions see them: by the sessions of their commits.
 *
 * @module
 */

import type { AddressBook, ReplicaAddress } from "../launch/address_book.ts";
import { HANDED_ON } from "../peer/handshake.ts";
import { replicaTag, tagOf } from "../storage/version.ts";
import type { Siblings } from "../transact/baton.ts";
import type { Switchboard } from "./switchboard.ts";

/** Finds replicas in the address book that a switchboard follows. */
export function bookSiblings(switchboard: Switchboard): Siblings {
  let book: AddressBook | undefined;
  let replicas = new Map<string, ReplicaAddress>();

  function find(session: string): ReplicaAddress | undefined {
    if (switchboard.book !== book) {
      book = switchboard.book;
      // behind an address that several share there may be any of them
      const own = book.replicas.filter(({ shared }) => !shared);
      replicas = new Map(own.map((one) => [replicaTag(`${one.path}.${one.index}`), one]));
    }
    const tag = tagOf(session);
    return tag === undefined ? undefined : replicas.get(tag);
  }

  return {
    tell(session, text) {
      const address = find(session);
      if (address === undefined) return false;
      return switchboard.peer(address)?.tell(HANDED_ON, text) ?? false;
    },
  };
}
