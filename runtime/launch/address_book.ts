/**
 * Where every replica is. The launcher is the only writer; replicas follow it. Types only.
 *
 * @module
 */

/** `unix:/path/of/a/socket` or `tcp:127.0.0.1:4000`; `memory:name` for replicas of one process. */
export type Address = `unix:${string}` | `tcp:${string}:${number}` | `memory:${string}`;

/** Where the replicas of one deployment are. */
export interface AddressBook {
  readonly revision: string;
  /** Grows with every change of the book. */
  readonly generation: number;
  /** The private folder of this tree of replicas, where the driver keeps one; it goes with the tree. */
  readonly folder?: string;
  /** The name of this tree of replicas, where the platform's objects carry it. */
  readonly tree?: string;
  /** In the order of the plan's nodes, then by flat index. */
  readonly replicas: readonly ReplicaAddress[];
  /** In the order of the plan's doors: where each listens. */
  readonly doors: readonly DoorAddress[];
}

/** Where a door is. */
export interface DoorAddress {
  /** The path whose replicas open it. */
  readonly node: string;
  /** Where callers find it. */
  readonly address: Address;
  /** Where the replica listens, if that is not where callers find it, as behind a published port. */
  readonly listen?: Address;
  /** Whether a container of a tree before holds the port for good, and passes on what comes in. */
  readonly relayed?: boolean;
  /** Where what comes in is passed on, since a later tree has taken the door over. */
  readonly passTo?: Address;
}

/** Where one replica is. */
export interface ReplicaAddress {
  readonly path: string;
  /** The flat index among all replicas of the path. */
  readonly index: number;
  /** Where it takes calls from its peers. */
  readonly peer: Address;
  /** Where it serves HTTP to operators: health, readiness, metrics. */
  readonly http: Address;
  /** Whether other replicas of the path have the same addresses: names behind which each connection finds one. */
  readonly shared?: boolean;
}
