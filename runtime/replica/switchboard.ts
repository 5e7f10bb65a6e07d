/**
 * The peers of a replica: where calls to other replicas leave, following the address book.
 *
 * @module
 */

import type { Address, AddressBook, ReplicaAddress } from "../launch/address_book.ts";
import { type Hello, SURVEY } from "../peer/handshake.ts";
import { type Dial, Peer } from "../peer/peer.ts";
import { sharedDial } from "../peer/shared_dial.ts";

/** Options of {@linkcode Switchboard}. */
export interface SwitchboardOptions {
  readonly book: AddressBook;
  readonly hello: Omit<Hello, "as">;
  readonly dial: Dial;
  /** Told when a replica of a path is left out, because its calls fail or because it is silent. */
  readonly onLeftOut?: (path: string, why: "failing" | "silent") => void;
}

/** Keeps one {@linkcode Peer} for each replica that is called, and its place when the book changes. */
export class Switchboard {
  #options: SwitchboardOptions;
  #book: AddressBook;
  #peers = new Map<string, Peer>();
  #lists = new Map<string, readonly Peer[]>();
  #parts = new Set<string>();
  #closed = false;
  /** Made when it is needed. */
  #shared: Dial | undefined;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    this.#book = options.book;
  }

  /**
   * The peers at a path, by flat index; made, and connected, when first asked for and kept until the book
   * changes.
   *
   * @param path The path.
   * @param as Whether the plan says that this replica needs them.
   */
  peers(path: string, as: Hello["as"]): readonly Peer[] {
    const known = this.#lists.get(path);
    if (known !== undefined) return known;
    if (this.#closed) return [];
    if (as === "part") this.#parts.add(path);
    const kind = this.#parts.has(path) ? "part" : "service";
    const peers = this.#book.replicas.filter((replica) => replica.path === path)
      .map(({ index, peer: address, shared }) =>
        this.#peers.get(`${path}.${index}`) ??
          this.#connect(path, index, { address, shared, as: kind })
      );
    this.#lists.set(path, peers);
    return peers;
  }

  /** What it follows. */
  get book(): AddressBook {
    return this.#book;
  }

  /** The peer at an address of the book, whoever calls it; made, and connected, when first asked for. */
  peer({ path, index, peer: address, shared }: ReplicaAddress): Peer | undefined {
    if (this.#closed) return undefined;
    return this.#peers.get(`${path}.${index}`) ??
      this.#connect(path, index, { address, shared, as: "service" });
  }

  /** Follows a new generation of the book; an older one is ignored. */
  follow(book: AddressBook): void {
    if (book.generation <= this.#book.generation || this.#closed) return;
    this.#book = book;
    this.#lists.clear();
    const listed = new Map(
      book.replicas.map(({ path, index, peer }) => [`${path}.${index}`, peer]),
    );
    for (const [name, peer] of this.#peers) {
      if (listed.get(name) === peer.address) continue;
      this.#peers.delete(name);
      // it has left the book, and still answers what it was asked
      peer.retire();
    }
    for (const path of this.#parts) this.peers(path, "part");
  }

  /** Connects now to the replicas named, where they are called from here. */
  up(names: readonly string[]): void {
    for (const name of names) this.#peers.get(name)?.connect();
  }

  /** The parts that have no connection. */
  missing(): string[] {
    return [...this.#parts].flatMap((path) => this.peers(path, "part"))
      .filter((peer) => !peer.connected).map((peer) => peer.name);
  }

  /** What the parts that are connected are missing themselves; of those that do not answer in time, nothing is known. */
  async survey(timeout: number): Promise<string[]> {
    const parts = [...this.#parts].flatMap((path) => this.peers(path, "part"));
    const answers = await Promise.allSettled(
      parts.map(async (peer) => JSON.parse(await peer.ask(SURVEY, timeout)) as string[]),
    );
    return answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
  }

  /**
   * Resolves when every part is connected.
   *
   * @throws {MpError} When the switchboard is closed before.
   */
  async connected(): Promise<void> {
    for (;;) {
      const missing = [...this.#parts].flatMap((path) => this.peers(path, "part"))
        .filter((peer) => !peer.connected);
      if (missing.length === 0) return;
      // a peer that leaves the book meanwhile will never be connected
      const results = await Promise.allSettled(missing.map((peer) => peer.connection()));
      const failed = results.find((result) => result.status === "rejected");
      if (failed && this.#closed) throw failed.reason;
    }
  }

  /** How many replicas are connected. */
  get connections(): number {
    let count = 0;
    for (const peer of this.#peers.values()) if (peer.connected) count++;
    return count;
  }

  /** How many calls to peers have no answer yet. */
  get pending(): number {
    let pending = 0;
    for (const peer of this.#peers.values()) pending += peer.pending;
    return pending;
  }

  #connect(
    path: string,
    index: number,
    { address, shared, as }: Pick<ReplicaAddress, "shared"> & Pick<Hello, "as"> & {
      address: Address;
    },
  ): Peer {
    const { hello, dial, onLeftOut } = this.#options;
    const name = `${path}.${index}`;
    const peer = new Peer({
      name,
      address,
      hello: { ...hello, as },
      dial: shared ? this.#shared ??= sharedDial(dial) : dial,
      onLeftOut: (why) => onLeftOut?.(path, why),
    });
    this.#peers.set(name, peer);
    // those that are not connected would be passed over as long as others are
    peer.connect();
    return peer;
  }

  /** Closes all connections. */
  close(): void {
    this.#closed = true;
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#lists.clear();
  }
}
