/**
 * Runs the tests: `deno task test [FILES AND FOLDERS] [OPTIONS OF deno test]`.
 *
 * @module
 */

import { fromFileUrl, resolve } from "@std/path";
import { findGroups } from "./test/groups.ts";
import { runGroup } from "./test/run_group.ts";
import { addSummaries, showSummary, type Summary } from "./test/summary.ts";

const root = fromFileUrl(new URL("../", import.meta.url));

/** Tells files and folders from options, which go to `deno test` as they are. */
function splitArguments(args: readonly string[]): { paths: string[]; options: string[] } {
  const paths: string[] = [];
  const options: string[] = [];
  let takesValue = false;
  for (const arg of args) {
    if (arg.startsWith("-") || takesValue) options.push(arg);
    else paths.push(resolve(Deno.env.get("INIT_CWD") || ".", arg));
    takesValue = !takesValue && ["--filter", "--reporter"].includes(arg);
  }
  return { paths, options };
}

async function main(): Promise<number> {
  const { paths, options } = splitArguments(Deno.args);
  for (const path of paths) {
    const there = await Deno.stat(path).then(() => true, () => false);
    if (there) continue;
    console.error(`Cannot run the tests of "${path}": there is no such file or folder`);
    return 2;
  }
  const { docs, parallel, serial } = await findGroups(root, paths);
  if (docs.length + parallel.length + serial.length === 0) {
    console.error("Cannot run the tests: there are none in what was named");
    return 2;
  }
  const abort = new AbortController();
  const stop = () => abort.abort();
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  const common = ["-A", ...options];
  const run = (files: readonly string[], flags: readonly string[], print: (line: string) => void) =>
    files.length === 0 || abort.signal.aborted
      ? []
      : [runGroup([...common, ...flags, ...files], { cwd: root, signal: abort.signal, print })];

  // the examples of docs are checked one by one, mostly on one core: they run beside the rest
  const docLines: string[] = [];
  const beside = run(docs, ["--doc"], (line) => docLines.push(line));
  const summaries: Summary[] = await Promise.all(run(parallel, ["--parallel"], console.log));
  summaries.push(...await Promise.all(beside));
  for (const line of docLines) console.log(line);
  summaries.push(...await Promise.all(run(serial, [], console.log)));

  const summary = addSummaries(summaries);
  if (abort.signal.aborted) console.log("The tests were interrupted");
  const none = summary.passed + summary.failed + summary.skipped === 0;
  if (none && !abort.signal.aborted) console.log("No test ran");
  console.log(showSummary(summary));
  return abort.signal.aborted || none || summary.failed > 0 ? 1 : 0;
}

Deno.exit(await main());
