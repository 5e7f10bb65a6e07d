/**
 * All replicas of an address book, played by a test.
 *
 * @module
 */

import type { Address, AddressBook } from "../../../runtime/launch/address_book.ts";
import type { InboundCall } from "../../../runtime/peer/inbound_call.ts";
import type { Dial } from "../../../runtime/peer/peer.ts";
import { Leaf } from "../peer/leaf.ts";

/** What a replica of the fleet answers. */
export type Answer = (name: string, body: string, call: InboundCall) => Promise<string> | string;

/** See the module's documentation. */
export class Fleet {
  readonly #leaves = new Map<Address, Leaf>();
  readonly #names = new Map<string, Leaf>();

  constructor(
    readonly credentials: { secret: string; revision: string },
    readonly answer: Answer,
  ) {}

  /** Adds the replicas of a book that are not there yet. */
  add({ replicas }: AddressBook): this {
    for (const { path, index, peer } of replicas) {
      if (this.#leaves.has(peer)) continue;
      const name = `${path}.${index}`;
      const leaf = new Leaf({
        onCall: (_target, body, call) => this.answer(name, body, call),
      }, this.credentials);
      this.#leaves.set(peer, leaf);
      this.#names.set(name, leaf);
    }
    return this;
  }

  readonly dial: Dial = (address) => {
    const leaf = this.#leaves.get(address);
    return leaf ? leaf.dial() : Promise.reject(new Deno.errors.NotFound(address));
  };

  /** One replica, by its name. */
  get(name: string): Leaf {
    return this.#names.get(name)!;
  }

  /** The names of the replicas to which there is a connection. */
  get connected(): string[] {
    return [...this.#names].flatMap(([name, leaf]) => leaf.connections > 0 ? [name] : []);
  }

  /** Ends all connections. */
  crash(): void {
    for (const leaf of this.#leaves.values()) leaf.crash();
  }
}
