/**
 * The doors of a replica that later trees have taken over: where a platform cannot move a published port, the
 * container that has it stays, and passes on what comes in.
 *
 * @module
 */

import type { Address, AddressBook, DoorAddress } from "../launch/address_book.ts";
import { Relay } from "./relay.ts";

/** The doors of a replica that are passed on. */
export function passedOn({ doors }: AddressBook, path: string): DoorAddress[] {
  return doors.filter(({ node, passTo }) => node === path && passTo !== undefined);
}

/** See the module's documentation. */
export class Relays {
  #relays = new Map<Address, Relay>();

  /** Does what a new generation of the address book says. @returns Whether anything is passed on. */
  follow(book: AddressBook, path: string): boolean {
    const doors = passedOn(book, path);
    for (const { address, listen = address, passTo } of doors) {
      const relay = this.#relays.get(listen);
      if (relay) relay.pointTo(passTo!);
      else this.#relays.set(listen, new Relay(listen, passTo!));
    }
    return doors.length > 0;
  }

  /** Accepts nothing more, and resolves when all connections have ended, or `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.drain(signal)));
  }
}

/** Where a replica that passes doors on says so, in a container whose only writable folder that is. */
const MARK = "/tmp/mp-passes-on";

/** Says that doors are passed on as a generation of the address book has it, and that nothing else is left to do. */
export async function tellPassedOn({ generation }: AddressBook): Promise<void> {
  await Deno.writeTextFile(MARK, String(generation)).catch(() => {});
}

/** The generation of the last {@linkcode tellPassedOn}; 0 before the first. */
export async function toldPassedOn(): Promise<number> {
  return Number(await Deno.readTextFile(MARK).catch(() => "0"));
}
