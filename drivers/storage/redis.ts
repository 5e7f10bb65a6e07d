/**
 * The storage `redis`: a Redis server or cluster.
 *
 * @module
 */

import { abortable } from "@std/async/abortable";
import { messageOf, MpError } from "../../runtime/errors.ts";
import type {
  Backend,
  BackendOptions,
  EncodedCommit,
  EncodedEntry,
  KeyRange,
  Verdict,
} from "../../runtime/storage/backend.ts";
import { createStorage } from "../../runtime/storage/create_storage.ts";
import { encodeNamespace } from "../../runtime/storage/key.ts";
import { DEFAULT_RETENTION } from "../../runtime/storage/record.ts";
import type { RedisConfig } from "../../runtime/storage/storage_config.ts";
import type { Storage } from "../../runtime/storage/storage.ts";
import { storageFault } from "../../runtime/storage/storage_fault.ts";
import { lastingConnection } from "./lasting_connection.ts";
import { adviseRedis } from "./redis_advice.ts";
import { redisReplyFault, redisReplyLost, redisUnreachable } from "./redis_fault.ts";
import { connectRedis, type RedisLink } from "./redis_link.ts";
import {
  COMMIT_SCRIPT,
  commitCall,
  pageOf,
  type RecordPlaces,
  type RedisScript,
  SCAN_SCRIPT,
  type ScriptCall,
  verdictsOf,
} from "./redis_script.ts";

/** How many entries, and how many bytes of them, are read at once. */
const PAGE = 256;
const PAGE_BYTES = 4 * 1024 * 1024;

/** How a redis storage is opened. */
export interface RedisStorageOptions extends BackendOptions {
  readonly config: RedisConfig;
}

/**
 * Opens a Redis server as a storage; connects at the first call.
 *
 * With `sharding: "app"` all keys of a namespace are in one slot, so that any of them can be changed together. With
 * `"scope"` each is in a slot of its own, and a commit or a read of several is `unsupported`.
 */
export function redisStorage(options: RedisStorageOptions): Storage {
  return createStorage(redisBackend(options));
}

function redisBackend(options: RedisStorageOptions): Backend {
  const { config, retention = DEFAULT_RETENTION } = options;
  const where = `${config.host}:${config.port}`;
  const place = placesOf(encodeNamespace(options.namespace), config.sharding);
  const client = redisClient(options, where);

  /** Runs a script; the server is given its text when it does not remember it. */
  async function run(
    { text, sha1 }: RedisScript,
    { keys, args }: ScriptCall,
    { signal, writes }: { readonly signal: AbortSignal | undefined; readonly writes: boolean },
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    const send = (command: string, script: string) =>
      client.send([command, script, ...rest], keys[0], { signal, writes });
    try {
      return await send("EVALSHA", sha1);
    } catch (error) {
      if (!messageOf((error as Error).cause).startsWith("NOSCRIPT")) throw error;
      return await send("EVAL", text);
    }
  }

  async function commitTogether(
    batch: readonly EncodedCommit[],
    places: RecordPlaces,
    signal: AbortSignal | undefined,
  ): Promise<Verdict[]> {
    const writes = batch.some(({ writes }) => writes.length > 0);
    return verdictsOf(
      await run(COMMIT_SCRIPT, commitCall(batch, retention, places), { signal, writes }),
    );
  }

  /** Carries out commits of one key each, with one script a key, all on their way at once. */
  async function commitApart(
    batch: readonly EncodedCommit[],
    signal: AbortSignal | undefined,
  ): Promise<Verdict[]> {
    const groups = Map.groupBy(batch, onlyKeyOf);
    const ends = await Promise.allSettled(
      [...groups].map(async ([key, commits]) => {
        const verdicts = await commitTogether(commits, place.apart(key), signal);
        return new Map(commits.map((commit, i) => [commit, verdicts[i]!]));
      }),
    );
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) {
      // some may have been carried out although this one was not
      throw ends.every((end) => end.status === "rejected" && end.reason.reason !== "reply_lost")
        ? failed.reason
        : redisReplyLost(failed.reason, where);
    }
    const verdicts = new Map(
      ends.flatMap((end) => end.status === "fulfilled" ? [...end.value] : []),
    );
    return batch.map((commit) => verdicts.get(commit)!);
  }

  async function* scanIndex({ from, before }: KeyRange, signal: AbortSignal | undefined) {
    const { index, prefix } = place.together;
    for (let next = from; next !== "";) {
      const args = [prefix, next, before, String(PAGE), String(PAGE_BYTES)];
      const reply = await run(SCAN_SCRIPT, { keys: [index], args }, { signal, writes: false });
      const page = pageOf(reply);
      yield page.entries;
      next = page.next;
    }
  }

  async function* scanNodes({ from, before }: KeyRange, signal: AbortSignal | undefined) {
    const names = await client.names(`${place.apartPrefix}*`, signal);
    const keys = names.map(place.apartKey).filter((key) => key >= from && key < before).sort();
    for (const key of keys) {
      // no key has this version, so checking it brings the current value
      const look: EncodedCommit = {
        ...{ session: "", seq: 0, version: "", writes: [] },
        checks: [{ key, version: "?" }],
      };
      const [verdict] = await commitTogether([look], place.apart(key), signal);
      const state = verdict?.[0];
      if (state?.value == null) continue;
      const entry: EncodedEntry = { key, version: state.version, value: state.value };
      yield [entry];
    }
  }

  const together = config.sharding === "app";
  return {
    name: "redis",
    commit: (batch, signal) =>
      together ? commitTogether(batch, place.together, signal) : commitApart(batch, signal),
    scan: together ? scanIndex : scanNodes,
    close: client.close,
  };
}

/** The names of records. A namespace and a key hold no brace, so what is in braces is all that decides the slot. */
function placesOf(namespace: string, _sharding: RedisConfig["sharding"]) {
  const prefix = `{mp:${namespace}}:`;
  const apartPrefix = `{mp:${namespace}:`;
  const together: RecordPlaces & { readonly prefix: string } = {
    index: `{mp:${namespace}}`,
    expiries: `{mp:${namespace}}!`,
    prefix,
    prefixLength: prefix.length,
    recordOf: (key) => prefix + key,
  };
  const apartRecord = (key: string) => `${apartPrefix}${key}}`;
  return {
    together,
    apartPrefix,
    apartKey: (name: string) => name.slice(apartPrefix.length, -1),
    apart: (key: string): RecordPlaces => ({
      index: apartRecord(key),
      expiries: apartRecord(key),
      prefixLength: 0,
      recordOf: apartRecord,
    }),
  };
}

function onlyKeyOf({ checks, writes }: EncodedCommit): string {
  const keys = new Set([...checks, ...writes].map(({ key }) => key));
  if (keys.size > 1) {
    throw new MpError(
      "unsupported",
      `Cannot use ${keys.size} scopes in one transaction: redis keeps each apart (sharding=scope)`,
      { next: "Remove sharding=scope from the URL, or keep what belongs together in one scope" },
    );
  }
  return keys.values().next().value ?? "";
}

/** Sends commands over one connection. */
function redisClient({ config, onWarning }: RedisStorageOptions, where: string) {
  let cluster = false;
  let advised = false;
  const connection = lastingConnection<RedisLink>({
    async connect(signal) {
      const link = await connectRedis(config, {
        cluster,
        signal,
        onLost: () => connection.lost(link),
      });
      if (!advised && onWarning !== undefined) {
        advised = true;
        void adviseRedis(link, onWarning);
      }
      return link;
    },
    disconnect: (link) => link.close(),
    unreachable: (cause) => redisUnreachable(cause, where),
    closed: () => storageFault("closed", `Cannot use redis at ${where}: the storage is closed`),
  });

  /** Sends one command; says of an error whether it may have been carried out. */
  async function send(
    args: readonly string[],
    key: string | undefined,
    { signal, writes }: { readonly signal: AbortSignal | undefined; readonly writes: boolean },
  ): Promise<unknown> {
    const link = await connection.get(signal);
    const answer = link.send(args, key);
    try {
      if (signal === undefined) return await answer;
      answer.catch(() => {});
      return await abortable(answer, signal);
    } catch (error) {
      if (!link.isReply(error)) throw redisReplyLost(error, where);
      if (/^(MOVED|ASK) /.test(messageOf(error)) && !link.cluster) {
        // the server is one of several: nothing was done, and from now on the right one is asked
        cluster = true;
        connection.lost(link);
        return await send(args, key, { signal, writes });
      }
      // a server that has become a stand-by stays one: the name may lead to another by now
      if (/^READONLY\b/.test(messageOf(error))) connection.lost(link);
      throw redisReplyFault(error, where, writes);
    }
  }

  /** The names of all keys that fit a pattern, from every node. */
  async function names(pattern: string, signal: AbortSignal | undefined): Promise<string[]> {
    const link = await connection.get(signal);
    const found = new Set<string>();
    const cursors: string[] = [];
    try {
      do {
        signal?.throwIfAborted();
        const replies = await link.sendToAll((node) => [
          ...["SCAN", cursors[node] ?? "0", "MATCH", pattern, "COUNT", "1000"],
        ]) as [string, string[]][];
        for (const [node, [cursor, keys]] of replies.entries()) {
          if (cursors[node] !== "done") { for (const key of keys) found.add(key); }
          cursors[node] = cursor === "0" ? "done" : cursor;
        }
      } while (cursors.some((cursor) => cursor !== "done"));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw link.isReply(error)
        ? redisReplyFault(error, where, false)
        : redisReplyLost(error, where);
    }
    return [...found];
  }

  return { send, names, close: connection.close };
}
