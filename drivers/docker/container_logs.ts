/**
 * What replicas wrote, as the engine keeps it.
 *
 * @module
 */

import type { LogLine, LogOptions, ReplicaId } from "../../runtime/launch/driver.ts";
import { feed } from "../../runtime/launch/feed.ts";
import { containerLines, listContainers } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { LABELS } from "./names.ts";
import { watchEngine } from "./watch_engine.ts";

/** Reads the logs of an app, all replicas together in the order of time; then, if asked, what comes. */
export async function* containerLogs(
  engine: Engine,
  app: string,
  { replica = () => true, tail, since = 0, follow = false, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const all = await listContainers(engine, { [LABELS.app]: app, [LABELS.path]: undefined }, signal);
  const chosen = all.map(({ Id, Labels }) => ({ id: Id, ...replicaOf(Labels) })).filter(replica);
  const from = BigInt(since) * 1_000_000n;
  const history: LogLine[] = [];
  const seen = new Map<string, bigint>();
  await Promise.all(chosen.map(async ({ id, path, index }) => {
    seen.set(id, from);
    for await (
      const line of containerLines(engine, id, { follow: false, tail, since: from, signal })
    ) {
      seen.set(id, line.nanoseconds + 1n);
      history.push({ path, index, ...plain(line) });
    }
  }));
  history.sort((a, b) => a.time - b.time);
  yield* history;
  if (!follow || signal?.aborted) return;

  const over = new AbortController();
  const end = () => over.abort();
  signal?.addEventListener("abort", end, { once: true });
  const lines = feed<LogLine>();
  const following = new Set<string>();
  const followOne = async (id: string, { path, index }: ReplicaId) => {
    if (following.has(id)) return;
    following.add(id);
    try {
      const options = { follow: true, since: seen.get(id) ?? 0n, signal: over.signal };
      for await (const line of containerLines(engine, id, options)) {
        seen.set(id, line.nanoseconds + 1n);
        lines.put({ path, index, ...plain(line) });
      }
    } catch {
      // the container is gone
    } finally {
      following.delete(id);
    }
  };
  const read = lines.read(over.signal);
  const running = new Set(all.map(({ Id }) => Id));
  try {
    await watchEngine(engine, {
      app,
      signal: over.signal,
      onEvent({ Action, Actor: { ID, Attributes } }) {
        if (Action === "destroy") running.delete(ID);
        if (Action === "start") running.add(ID);
        // an app without containers writes no more
        if (running.size === 0) lines.end();
        const id = replicaOf(Attributes);
        if (Action === "start" && Attributes[LABELS.path] !== undefined && replica(id)) {
          followOne(ID, id);
        }
      },
      onBack: () => chosen.forEach((one) => void followOne(one.id, one)),
      onLost: () => {},
    });
    for (const one of chosen) void followOne(one.id, one);
    yield* read;
  } finally {
    signal?.removeEventListener("abort", end);
    over.abort();
  }
}

function replicaOf(labels: Readonly<Record<string, string>>): ReplicaId {
  return { path: labels[LABELS.path] ?? "", index: Number(labels[LABELS.index]) };
}

function plain({ stream, nanoseconds, text }: {
  readonly stream: LogLine["stream"];
  readonly nanoseconds: bigint;
  readonly text: string;
}) {
  return { time: Number(nanoseconds / 1_000_000n), stream, text };
}
