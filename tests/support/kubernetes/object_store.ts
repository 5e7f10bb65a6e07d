/**
 * The objects of a stand-in for a cluster: versions, and what happened to them.
 *
 * @module
 */

/** An object as it is stored. */
export interface Stored {
  apiVersion: string;
  kind: string;
  metadata: StoredMeta;
  // deno-lint-ignore no-explicit-any -- objects of every kind
  [field: string]: any;
}

export interface StoredMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  managedFields?: ManagedFields[];
  ownerReferences?: { uid: string; kind: string; name: string }[];
}

export interface ManagedFields {
  manager: string;
  operation: "Apply" | "Update";
  /** Paths of the fields. Kubernetes nests them; what they mean is the same. */
  fields: string[];
}

/** Something that happened. */
export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly collection: string;
  readonly object: Stored;
  readonly version: number;
}

/** How many events are kept for watches that begin late. */
const KEPT = 5_000;

/** See the module's documentation. */
export class ObjectStore {
  version = 1_000;
  #objects = new Map<string, Stored>();
  #events: StoreEvent[] = [];
  #forgotten = 0;
  #listeners = new Set<(event: StoreEvent) => void>();

  get(collection: string, namespace: string, name: string): Stored | undefined {
    const found = this.#objects.get(`${collection}/${namespace}/${name}`);
    return found && structuredClone(found);
  }

  list(collection: string, namespace?: string): Stored[] {
    const prefix = namespace === undefined ? `${collection}/` : `${collection}/${namespace}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix))
      .map(([, object]) => structuredClone(object));
  }

  /** Writes an object. @returns It, with its new version; unchanged when nothing differs. */
  put(collection: string, object: Stored, changesSpec = true): Stored {
    const key = `${collection}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    const before = this.#objects.get(key);
    if (before && same(before, object)) return structuredClone(before);
    const specDiffers = !before || JSON.stringify(before.spec) !== JSON.stringify(object.spec);
    const stored = structuredClone(object);
    stored.metadata = {
      ...stored.metadata,
      uid: before?.metadata.uid ?? crypto.randomUUID(),
      creationTimestamp: before?.metadata.creationTimestamp ?? now(),
      generation: (before?.metadata.generation ?? 0) + (specDiffers && changesSpec ? 1 : 0),
      resourceVersion: String(++this.version),
    };
    this.#objects.set(key, stored);
    this.#tell({ type: before ? "MODIFIED" : "ADDED", collection, object: stored });
    return structuredClone(stored);
  }

  delete(collection: string, namespace: string, name: string): Stored | undefined {
    const key = `${collection}/${namespace}/${name}`;
    const object = this.#objects.get(key);
    if (!object) return undefined;
    this.#objects.delete(key);
    const last = structuredClone(object);
    last.metadata.resourceVersion = String(++this.version);
    this.#tell({ type: "DELETED", collection, object: last });
    return last;
  }

  /** What happened after a version; nothing when that is forgotten. */
  since(version: number): StoreEvent[] | undefined {
    if (version < this.#forgotten) return undefined;
    return this.#events.filter((event) => event.version > version);
  }

  /** Forgets what happened, so that watches from before are refused. */
  compact(): void {
    this.#events = [];
    this.#forgotten = this.version;
  }

  /** Calls `listener` for everything that happens from now on, until what it returns is called. */
  listen(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: Omit<StoreEvent, "version">): void {
    const told = { ...event, object: structuredClone(event.object), version: this.version };
    this.#events.push(told);
    if (this.#events.length > KEPT) this.#forgotten = this.#events.shift()!.version;
    for (const listener of this.#listeners) listener(told);
  }
}

/** The time as Kubernetes writes it, in seconds. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

function same(a: Stored, b: Stored): boolean {
  const strip = (object: Stored) =>
    JSON.stringify({
      ...object,
      metadata: {
        ...object.metadata,
        resourceVersion: "",
        uid: "",
        generation: 0,
        creationTimestamp: "",
      },
    });
  return strip(a) === strip(b);
}
