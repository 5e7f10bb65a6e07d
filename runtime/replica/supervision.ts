/**
 * What a replica and its supervisor say to each other over a channel. Types only.
 *
 * The replica dials the address in `MP_SUPERVISOR` as its first act after reading its identity, says
 * hello, and then answers calls. Bodies are JSON.
 *
 * @module
 */

import type { Address, AddressBook } from "../launch/address_book.ts";
import type { ErrorData } from "../errors.ts";

/** Notices from a replica, by target. */
export interface ReplicaNotices {
  /** First on the connection. */
  readonly hello: { readonly replica: string; readonly pid: number; readonly secret: string };
  /** It listens, it has reached all parts that it needs, and its doors are open. */
  readonly ready: Record<never, never>;
  /** It cannot start; it exits after this. `fatal` failures would happen again: do not restart. */
  readonly failed: ErrorData & {
    readonly where?: string;
    readonly fatal: boolean;
  };
}

/** Calls from the supervisor, by target: request and reply. */
export interface SupervisorCalls {
  /** A new generation of the address book. */
  readonly book: { readonly request: AddressBook; readonly reply: null };
  /** Replicas that have just begun to listen, by name; connect to them now rather than at the next retry. */
  readonly up: { readonly request: readonly string[]; readonly reply: null };
  /** Opens a door here; with `takeOver`, all new connections come here from now on. */
  readonly listen: {
    readonly request: { readonly address: Address; readonly takeOver: boolean };
    readonly reply: { readonly address: Address };
  };
  /**
   * Accepts no new connections, answers what has come, then exits with 0. The reply comes before the exit.
   * `linger` (ms, default 0): how long a door goes on answering connections that are open already, for the
   * case that another replica has taken the door over. `leave` (default false): it ends alone, and is to send its
   * callers elsewhere; otherwise they end with it, and it serves them until they do.
   */
  readonly drain: {
    readonly request: {
      readonly grace: number;
      readonly linger?: number;
      readonly leave?: boolean;
    };
    readonly reply: null;
  };
}
