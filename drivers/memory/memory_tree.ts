/**
 * A tree of replicas in this process.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { ReplicaId, ReplicaStatus } from "../../runtime/launch/driver.ts";
import { type MemoryManifest, type MemoryReplicaSpec, nameOf } from "./manifest.ts";
import { MemoryReplica, type MemorySurroundings } from "./memory_replica.ts";

/** What a tree finds around it. */
export type TreeSurroundings = Omit<MemorySurroundings, "book" | "onUp">;

/** See the module's documentation. */
export class MemoryTree {
  #manifest: MemoryManifest;
  #surroundings: TreeSurroundings;
  #replicas = new Map<string, MemoryReplica>();

  constructor(manifest: MemoryManifest, surroundings: TreeSurroundings) {
    this.#manifest = manifest;
    this.#surroundings = surroundings;
    for (const spec of manifest.replicas) this.#add(spec);
  }

  get book(): AddressBook {
    return this.#manifest.book;
  }

  get manifest(): MemoryManifest {
    return this.#manifest;
  }

  status(): ReplicaStatus[] {
    return [...this.#replicas.values()].map((replica) => replica.status);
  }

  /** @throws {MpError} When there is none. */
  replica(id: ReplicaId): MemoryReplica {
    const replica = this.#replicas.get(nameOf(id));
    if (replica) return replica;
    throw new MpError(
      "deployment_not_found",
      `Cannot find ${nameOf(id)}: there is no such replica`,
      { next: `The replicas are ${[...this.#replicas.keys()].join(", ")}` },
    );
  }

  /** Starts every replica, and resolves when all are ready. @throws Why the first does not start. */
  async start(): Promise<void> {
    await Promise.all([...this.#replicas.values()].map((replica) => replica.start()));
  }

  /** Starts a replica anew, when it has answered what it was asked. */
  async restart(id: ReplicaId, signal: AbortSignal): Promise<void> {
    const old = this.replica(id);
    await old.drain(true, signal);
    const next = this.#add(old.spec, old.status.restarts + 1);
    await next.start();
  }

  /** Adds and removes replicas, so that the tree is as in `manifest`. */
  async scale(manifest: MemoryManifest, signal: AbortSignal): Promise<void> {
    const kept = new Set(manifest.replicas.map(({ name }) => name));
    const removed = [...this.#replicas.values()].filter(({ spec }) => !kept.has(spec.name));
    const added = manifest.replicas.filter(({ name }) => !this.#replicas.has(name));
    this.#manifest = manifest;
    await Promise.all(added.map((spec) => this.#add(spec).start()));
    for (const replica of this.#replicas.values()) replica.running?.follow(manifest.book);
    await Promise.all(removed.map((replica) => replica.drain(true, signal)));
    for (const { spec } of removed) this.#replicas.delete(spec.name);
  }

  /** Lets all replicas answer what has come, and ends them. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#replicas.values()].map((replica) => replica.drain(false, signal)));
  }

  /** Ends all replicas at once. */
  stop(): void {
    for (const replica of this.#replicas.values()) replica.stop();
  }

  #add(spec: MemoryReplicaSpec, restarts = 0): MemoryReplica {
    const replica = new MemoryReplica(spec, {
      ...this.#surroundings,
      book: () => this.#manifest.book,
      onUp: () => {
        // callers connect now rather than at their next attempt
        for (const other of this.#replicas.values()) other.running?.switchboard.up([spec.name]);
      },
    }, restarts);
    this.#replicas.set(spec.name, replica);
    return replica;
  }
}
