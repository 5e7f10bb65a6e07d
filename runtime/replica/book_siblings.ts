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

/** What distinguishes replicas. */
interface Own {
  readonly app: string;
  readonly revision: string;
  /** `shop.compute.3` */
  readonly name: string;
}

/** What sessions of a replica are tagged with: not with its name alone, for apps can share a namespace. */
export function siblingName({ app, revision, name }: Own): string {
  return `${app} ${revision} ${name}`;
}

/**
 * Finds replicas in the address book that a switchboard follows.
 *
 * @param own The replica that looks for others.
 */
export function bookSiblings(switchboard: Switchboard, own: Own): Siblings {
  let book: AddressBook | undefined;
  let replicas = new Map<string, ReplicaAddress>();

  function find(session: string): ReplicaAddress | undefined {
    if (switchboard.book !== book) {
      book = switchboard.book;
      // behind an address that several share there may be any of them
      replicas = new Map(
        book.replicas.filter(({ shared }) => !shared).map((replica) => {
          const name = `${replica.path}.${replica.index}`;
          return [replicaTag(siblingName({ ...own, name })), replica];
        }),
      );
      // a session that it has given up is none of another's
      replicas.delete(replicaTag(siblingName(own)));
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
