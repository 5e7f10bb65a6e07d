/**
 * Runs the tests: `deno task test [FILES AND FOLDERS] [OPTIONS OF deno test]`.
 *
 * @module
 */

import { fromFileUrl, resolve } from "@std/path";
import { findGroups } from "./test/groups.ts";
import { runAll } from "./test/run_all.ts";
import { addSummaries, showSummary } from "./test/summary.ts";

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
  const groups = await findGroups(root, paths);
  if (Object.values(groups).every((files) => files.length === 0)) {
    console.error("Cannot run the tests: there are none in what was named");
    return 2;
  }
  const abort = new AbortController();
  const stop = () => abort.abort();
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  const summaries = await runAll(groups, {
    root,
    flags: ["-A", ...options],
    signal: abort.signal,
    isWhole: paths.length === 0,
  });
  const summary = addSummaries(summaries);
  if (abort.signal.aborted) console.log("The tests were interrupted");
  // once more, since whoever reads the end of a long output should see what went wrong
  for (const complaint of summaries.flatMap((each) => each.complaints)) console.log(complaint);
  const flaky = summaries.flatMap((each) => each.flaky);
  if (flaky.length > 0) console.log(`Flaky, to be mended: ${flaky.join(", ")}`);
  const none = summary.passed + summary.failed + summary.skipped === 0;
  if (none && !abort.signal.aborted) console.log("No test ran");
  console.log(showSummary(summary));
  return abort.signal.aborted || none || summary.failed > 0 ? 1 : 0;
}

Deno.exit(await main());
