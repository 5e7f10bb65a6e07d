/**
 * Doors that listen on ports of this machine. They are the deployment's, not a replica's, so an update
 * need not move them.
 *
 * @module
 */

import { messageOf } from "../../runtime/errors.ts";
import type { Address, AddressBook } from "../../runtime/launch/address_book.ts";
import { parseAddress } from "../../runtime/peer/address.ts";

/** Answers what comes in through a door, by its place in the plan. */
export type FetchDoor = (door: number, request: Request) => Promise<Response>;

interface OpenDoor {
  /** Its place in the plan. */
  place: number;
  readonly server: Deno.HttpServer;
}

/** See the module's documentation. */
export class HttpDoors {
  #fetch: FetchDoor;
  #open = new Map<Address, OpenDoor>();

  constructor(fetch: FetchDoor) {
    this.#fetch = fetch;
  }

  /** Opens the doors of a book that are not open; with `closeOthers`, there are no others afterwards. */
  open(book: AddressBook, { closeOthers = false } = {}): void {
    const wanted = new Map(book.doors.map(({ address }, place) => [address, place]));
    for (const [address, place] of wanted) {
      if (!address.startsWith("tcp:")) continue;
      const known = this.#open.get(address);
      if (known === undefined) this.#open.set(address, this.#serve(address, place));
      else if (closeOthers) known.place = place;
    }
    if (!closeOthers) return;
    for (const [address, { server }] of this.#open) {
      if (wanted.has(address)) continue;
      this.#open.delete(address);
      server.shutdown();
    }
  }

  /** Answers what has come, and listens no more. */
  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map(({ server }) => server.shutdown()));
  }

  #serve(address: Address, place: number): OpenDoor {
    const at = parseAddress(address) as { readonly hostname: string; readonly port: number };
    const door: OpenDoor = {
      place,
      server: Deno.serve(
        { hostname: at.hostname, port: at.port, onListen() {} },
        (request) =>
          this.#fetch(door.place, request).catch((error) =>
            new Response(messageOf(error), { status: 503, headers: { "retry-after": "1" } })
          ),
      ),
    };
    return door;
  }
}
