/**
 * A storage at the other end of a simulated network: requests and replies take their time, and are lost.
 *
 * @module
 */

import type { Commit, CommitResult, Mutation, Storage } from "../../runtime/storage/storage.ts";
import { storageFault } from "../../runtime/storage/storage_fault.ts";
import { newSession } from "../../runtime/storage/version.ts";
import type { History } from "./history.ts";

/** What happens between replicas and the storage. */
export class StorageWeather {
  /** Replicas that cannot reach the storage. */
  readonly away = new Set<string>();
  /** Replicas whose next reply is lost. */
  readonly losing = new Set<string>();
  /** Replicas before whose next commit somebody else writes. */
  readonly contended = new Set<string>();
}

/** Options of {@linkcode simulatedStorage}. */
export interface SimulatedStorageOptions {
  readonly storage: Storage;
  /** The replica that reaches it so. */
  readonly replica: string;
  readonly weather: StorageWeather;
  readonly history: History;
  /** How long a request, or a reply, takes. */
  readonly latency: () => number;
  /** Told of each request. */
  readonly onSend: () => void;
}

/** A storage as one replica reaches it. */
export function simulatedStorage(options: SimulatedStorageOptions): Storage {
  const { storage, replica, weather, history, latency, onSend } = options;
  const travel = () => new Promise<void>((resolve) => void setTimeout(resolve, latency()));
  const around = async <T>(request: () => Promise<T>): Promise<T> => {
    onSend();
    await travel();
    if (weather.away.has(replica)) throw unreachable(replica, history);
    const reply = await request();
    const isLost = weather.losing.delete(replica);
    await travel();
    if (isLost || weather.away.has(replica)) throw replyLost(replica, history);
    return reply;
  };
  const commit = async (batch: readonly Commit[]): Promise<CommitResult[]> => {
    if (weather.contended.delete(replica)) await overtake(storage, batch, history);
    const results = await storage.commit(batch);
    history.commits(replica, batch, results);
    return results;
  };
  return {
    name: storage.name,
    read: (keys) => around(() => storage.read(keys)),
    commit: (batch) => around(() => commit(batch)),
    scan: (range, options) => storage.scan(range, options),
    watch: (keys, options) => storage.watch(keys, options),
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Writes again what is there, as somebody else who has nothing to add. */
async function overtake(
  storage: Storage,
  batch: readonly Commit[],
  history: History,
): Promise<void> {
  const keys = [...batch.flatMap(({ checks }) => checks).map(({ key }) => key)];
  const mutations: Mutation[] = [];
  for (const { key, value } of await storage.read(keys)) {
    if (value === undefined || mutations.some((put) => put.key.join() === key.join())) continue;
    mutations.push({ op: "put", key, value });
  }
  if (mutations.length === 0) return;
  const session = newSession();
  await storage.commit([{ session, seq: 1, checks: [], mutations }]);
  history.note(`somebody else writes ${mutations.map(({ key }) => key.slice(1).join("/"))} again`);
}

function unreachable(replica: string, history: History): Error {
  history.note(`${replica}  the storage cannot be reached`);
  return storageFault("unreachable", "The storage cannot be reached: the simulation says so");
}

function replyLost(replica: string, history: History): Error {
  history.note(`${replica}  the reply of the storage is LOST`);
  return storageFault("reply_lost", "The reply of the storage is lost: the simulation says so");
}
