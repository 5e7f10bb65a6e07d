/**
 * Runs groups of tests, side by side as far as they bear it.
 *
 * @module
 */

import { messageOf } from "../../runtime/errors.ts";
import {
  ABSENT_VARIABLE,
  EXECUTABLE_VARIABLE,
  type TestExecutable,
  testExecutable,
} from "./executable.ts";
import { Floor } from "./floor.ts";
import type { Groups } from "./groups.ts";
import { runFiles } from "./run_files.ts";
import { type PatientResult, runPatiently } from "./run_patiently.ts";
import { NOTHING } from "./summary.ts";

export interface RunAllOptions {
  /** The project's folder. */
  readonly root: string;
  /** What goes to each `deno test`. */
  readonly flags: readonly string[];
  readonly signal: AbortSignal;
  /** Whether all tests are run: those of the program, then, from source and with the executable. */
  readonly isWhole: boolean;
}

/** Runs files with what stands in the environment, and prints by way of its lane. */
type Run = (
  files: readonly string[],
  more?: { flags?: readonly string[]; env?: Readonly<Record<string, string>> },
) => Promise<PatientResult[]>;

/** Groups that run one after the other. */
type Lane = (run: Run) => Promise<PatientResult[]>;

/**
 * Runs first what may run side by side file by file, and then three lanes: the program from source, the executable, and
 * the drivers with what shares their container engine. In each lane one file runs at a time, and none touches what
 * another lane uses, but for the processor: most of these tests wait for much of their time.
 */
export async function runAll(groups: Groups, options: RunAllOptions): Promise<PatientResult[]> {
  const { signal } = options;
  const ofDrivers = (name: string) => groups.drivers.includes(name);
  const ofProgram = (name: string) => !ofDrivers(name);
  await using executable = lazyExecutable(options);
  const withExecutable = async (run: Run, isMine: (name: string) => boolean) => {
    // what MP_TEST_EXECUTABLE names has been run already
    const again = options.isWhole && !executable.isGiven ? groups.either : [];
    const files = [...groups.executable, ...again].filter(isMine);
    if (files.length === 0 || signal.aborted) return [];
    const made = await executable.get();
    if ("file" in made) return await run(files, { env: { [EXECUTABLE_VARIABLE]: made.file } });
    const env = { [ABSENT_VARIABLE]: made.absent };
    return await run(groups.executable.filter(isMine), { env });
  };
  // once for all, where each run of deno test would check what it runs
  const unchecked = options.isWhole && !options.flags.includes("--no-check") ? ["--no-check"] : [];
  if (unchecked.length > 0 && !await checkTypes(options)) return [failure("the types are wrong")];
  return [
    // the examples of docs are checked one by one, mostly on one core
    ...await runLanes(options, [
      (run) => run(groups.parallel, { flags: ["--parallel", ...unchecked] }),
      (run) => run(groups.docs, { flags: ["--doc"] }),
    ]),
    ...await runLanes({ ...options, flags: [...options.flags, ...unchecked] }, [
      (run) => run(groups.serial.filter(ofProgram)),
      (run) => withExecutable(run, ofProgram),
      async (run) => [
        ...await run(groups.serial.filter(ofDrivers)),
        ...await withExecutable(run, ofDrivers),
      ],
    ]),
  ];
}

async function runLanes(
  { root, flags, signal }: RunAllOptions,
  lanes: readonly Lane[],
): Promise<PatientResult[]> {
  const runOnce = Deno.env.get("CI") === "true" ? runPatiently : runPlainly;
  const floor = new Floor(console.log);
  const results = await Promise.all(lanes.map(async (lane) => {
    const out = floor.speaker();
    try {
      return await lane(async (files, more = {}) => {
        if (files.length === 0 || signal.aborted) return [];
        const all = [...flags, ...more.flags ?? []];
        return [await runOnce(all, files, { cwd: root, signal, print: out.print, env: more.env })];
      });
    } catch (error) {
      return [failure(messageOf(error))];
    } finally {
      out.end();
    }
  }));
  return results.flat();
}

/** What stands for tests that could not be run. */
function failure(why: string): PatientResult {
  const complaints = [`Cannot run all tests: ${why}`];
  return { ...NOTHING, failed: 1, failedFiles: [], broken: 0, flaky: [], complaints };
}

async function checkTypes({ root, signal }: RunAllOptions): Promise<boolean> {
  const args = ["check", "--quiet"];
  const child = new Deno.Command(Deno.execPath(), { args, cwd: root, stdin: "null", signal });
  return (await child.spawn().status).success;
}

async function runPlainly(...args: Parameters<typeof runFiles>): Promise<PatientResult> {
  return { ...await runFiles(...args), flaky: [] };
}

interface LazyExecutable extends AsyncDisposable {
  /** Whether `MP_TEST_EXECUTABLE` names it. */
  readonly isGiven: boolean;
  get(): Promise<TestExecutable>;
}

/** The executable, made when it is first asked for, by whichever lane. */
function lazyExecutable({ root, signal }: RunAllOptions): LazyExecutable {
  const given = Deno.env.get(EXECUTABLE_VARIABLE);
  const make = async (): Promise<TestExecutable> => {
    const made = given ? { file: given, folder: "" } : await testExecutable(root, signal);
    console.log(
      "file" in made
        ? `With the executable ${made.file}`
        : `The executable is not tested: ${made.absent}`,
    );
    return made;
  };
  let making: Promise<TestExecutable> | undefined;
  return {
    isGiven: Boolean(given),
    get: () => making ??= make(),
    async [Symbol.asyncDispose]() {
      const made = await making?.catch(() => undefined);
      if (given || made === undefined || !("folder" in made)) return;
      await Deno.remove(made.folder, { recursive: true });
    },
  };
}
