/** `mp logs`. @module */

import { join } from "node:path";
import { MpError } from "../errors.ts";
import type { Deployment, LogLine, LogOptions, ReplicaId } from "../launch/driver.ts";
import { readLogs } from "../launch/read_logs.ts";
import type { KnownDeployment } from "../launch/state.ts";
import type { Plan } from "../plan/plan.ts";
import { findReplicas, replicaLabel } from "../plan/replica_labels.ts";
import { remaining } from "./argument.ts";
import { command, type Program } from "./command.ts";
import { driverOf, listDeployments, reachLauncher } from "./deployments.ts";
import { readDuration } from "./duration.ts";
import { deploymentOf, takeDeployment, userState } from "./find_deployment.ts";
import { didYouMean } from "./near_name.ts";
import { flag, text, usage, wholeNumber } from "./option.ts";
import { placeOf, placeOptions } from "./place_options.ts";
import { prefixes } from "./prefix.ts";

/** How long the last lines of a launcher that has ended may take to reach their files, in milliseconds. */
const LAST_LINES = 300;

/** Shows what replicas wrote. */
export const logs = command({
  description: [
    "The lines of all replicas, in the order of time; of an app that has ended too, until it is deleted.",
  ],
  arguments: {
    words: remaining({
      required: false,
      shown: "[APP|SCRIPT] PATH[.INDEX]",
      description: "The app, if there are several, and whose lines; all unless given",
      candidates: "app or path",
    }),
  },
  options: {
    ...placeOptions,
    follow: flag({ short: "f", description: "Go on with what is written, until the app ends" }),
    lines: wholeNumber({
      short: "n",
      value: "N",
      least: 0,
      most: 1_000_000_000,
      description: "Begin with the last N lines of each replica",
    }),
    since: text({ value: "TIME", description: "Nothing before: 5m ago, or 2025-01-31T12:00" }),
    request: text({ value: "ID", description: "Only lines of this request, or of this trace" }),
    timestamps: flag({ short: "t", description: "Show when each line was written" }),
  },
  examples: [
    { line: "mp logs -f", does: "Everything, and what comes" },
    { line: "mp logs search search.scatter.3 -n 20", does: "The last lines of one replica" },
    { line: "mp logs --request 3f2a77c1-9", does: "What all replicas wrote for one request" },
  ],
  async run({ arguments: { words }, options, output, program, signal }) {
    const since = options.since === undefined ? undefined : readSince(options.since);
    const state = userState(program);
    const place = placeOf(options);
    const running = await listDeployments(program, { name: words[0], place, output });
    const { record, rest } = takeLogged(running, place ? [] : await state.listEnded(), words);
    const { plan, handle: { app } } = record;
    const follow = options.follow && running.includes(record);
    const over = new AbortController();
    signal.addEventListener("abort", () => over.abort());
    const prefix = prefixes(plan, output.stdout.palette);
    const which: LogOptions = {
      replica: chosen(plan, rest),
      tail: options.lines,
      since,
      // nothing comes of what has ended
      follow,
      signal: over.signal,
    };
    const kept = running.includes(record) ? await keptByPlatform(record, program) : undefined;
    await using _ = { [Symbol.asyncDispose]: async () => await kept?.leave?.() };
    if (follow && kept === undefined) whenEnded(record, program, () => over.abort());
    const lines = kept?.logs?.(which) ?? readLogs(join(state.folder(app), "logs"), which);
    for await (const line of lines) {
      if (!isOf(line, options.request)) continue;
      const at = options.timestamps ? `${new Date(line.time).toISOString()} ` : "";
      if (output.json) output.data(line);
      else output.stdout.sink.write(`${prefix(line)}${at}${line.text}\n`);
      await output.stdout.sink.room();
    }
  },
});

/** Whose logs are meant: those of an app that runs, unless one that has ended is named. */
function takeLogged(
  running: readonly KnownDeployment[],
  ended: readonly KnownDeployment[],
  words: readonly string[],
): ReturnType<typeof takeDeployment> {
  const named = words[0] === undefined ? undefined : deploymentOf(ended, words[0]);
  if (named && !deploymentOf(running, words[0]!)) {
    return { record: named, rest: words.slice(1) };
  }
  if (running.length > 0) return takeDeployment(running, words);
  return takeDeployment(ended, words, "have ended");
}

/** Whether a line belongs to a request, or to a trace. */
function isOf({ requestId, traceId }: LogLine, wanted: string | undefined): boolean {
  return wanted === undefined || requestId === wanted || traceId === wanted;
}

/** The deployment, where its platform keeps what replicas write. */
async function keptByPlatform(
  record: KnownDeployment,
  program: Program,
): Promise<Deployment | undefined> {
  const driver = await driverOf(record, program);
  const logs = userState(program).folder(record.handle.app);
  return (await driver.recover?.(record.handle, { logs }))?.deployment;
}

async function whenEnded(
  record: KnownDeployment,
  program: Program,
  end: () => void,
): Promise<void> {
  try {
    using launcher = await reachLauncher(record, program);
    await launcher.closed;
  } catch {
    // it has ended already
  }
  setTimeout(end, LAST_LINES);
}

/** Which replicas are named; all when none is. */
function chosen(plan: Plan, names: readonly string[]): (id: ReplicaId) => boolean {
  if (names.length === 0) return () => true;
  const keys = new Set<string>();
  for (const name of names) {
    const found = findReplicas(plan, name);
    for (const id of found) keys.add(replicaLabel(plan, id));
    if (found.length > 0) continue;
    const paths = plan.nodes.map(({ path }) => path);
    throw new MpError(
      "deployment_not_found",
      `Cannot find "${name}": it is neither an app nor a path of "${plan.app}"`,
      { next: didYouMean(name, paths, `The paths are ${paths.join(", ")}`) },
    );
  }
  return (id) => keys.has(replicaLabel(plan, id));
}

/** A time that is written as how long ago it was, or as a date. */
function readSince(written: string): number {
  const ago = readDuration(written);
  const time = ago === undefined ? Date.parse(written) : Date.now() - ago;
  if (!Number.isNaN(time)) return time;
  throw usage(`Cannot read --since "${written}": it is neither a duration nor a date`, {
    next: "Give one such as 5m, 2h or 2025-01-31T12:00:00Z",
  });
}
