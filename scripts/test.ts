/**
 * Runs the tests: `deno task test [FILES AND FOLDERS] [OPTIONS OF deno test]`.
 *
 * @module
 */

import { fromFileUrl, resolve } from "@std/path";
import { ABSENT_VARIABLE, EXECUTABLE_VARIABLE, testExecutable } from "./test/executable.ts";
import { findGroups, type Groups } from "./test/groups.ts";
import { runFiles } from "./test/run_files.ts";
import type { RunGroupOptions } from "./test/run_group.ts";
import { type PatientResult, runPatiently } from "./test/run_patiently.ts";
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

interface RunOptions {
  /** What goes to each `deno test`. */
  readonly flags: readonly string[];
  readonly signal: AbortSignal;
  /** Whether all tests are run: those of the program, then, from source and with the executable. */
  readonly isWhole: boolean;
}

async function runAll(
  groups: Groups,
  { flags, signal, isWhole }: RunOptions,
): Promise<PatientResult[]> {
  const isPatient = Deno.env.get("CI") === "true";
  const runAsAsked = async (...args: Parameters<typeof runFiles>): Promise<PatientResult> =>
    isPatient ? await runPatiently(...args) : { ...await runFiles(...args), flaky: [] };
  const run = (
    files: readonly string[],
    options: Partial<RunGroupOptions> = {},
    ...own: string[]
  ) =>
    files.length === 0 || signal.aborted ? [] : [
      runAsAsked([...flags, ...own], files, { cwd: root, signal, print: console.log, ...options }),
    ];
  // the examples of docs are checked one by one, mostly on one core: they run beside the rest
  const docLines: string[] = [];
  const beside = run(groups.docs, { print: (line) => docLines.push(line) }, "--doc");
  const summaries = await Promise.all(run(groups.parallel, {}, "--parallel"));
  summaries.push(...await Promise.all(beside));
  for (const line of docLines) console.log(line);
  summaries.push(...await Promise.all(run(groups.serial)));
  if (groups.executable.length === 0 || signal.aborted) return summaries;

  const given = Deno.env.get(EXECUTABLE_VARIABLE);
  const made = given ? undefined : await testExecutable(root, signal);
  if (made && "absent" in made) {
    console.log(`The executable is not tested: ${made.absent}`);
    const env = { [ABSENT_VARIABLE]: made.absent };
    return [...summaries, ...await Promise.all(run(groups.executable, { env }))];
  }
  try {
    const env = { [EXECUTABLE_VARIABLE]: given ?? made!.file };
    // what MP_TEST_EXECUTABLE names has been run already
    const files = [...groups.executable, ...(isWhole && !given ? groups.either : [])];
    console.log(`With the executable ${given ?? made!.file}`);
    return [...summaries, ...await Promise.all(run(files, { env }))];
  } finally {
    if (made) await Deno.remove(made.folder, { recursive: true });
  }
}

Deno.exit(await main());
