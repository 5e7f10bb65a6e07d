/**
 * Runs groups of tests, side by side as far as they bear it.
 *
 * @module
 */

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
 * what shares the container engine, with either. In each lane one file runs at a time, and none touches what another
 * lane uses, but for the processor: most of these tests wait most of the time.
 */
export async function runAll(groups: Groups, options: RunAllOptions): Promise<PatientResult[]> {
  const { signal } = options;
  const usesEngine = (name: string) => groups.engine.includes(name);
  const usesNone = (name: string) => !usesEngine(name);
  await using executable = lazyExecutable(options);
  const withExecutable = async (run: Run, isMine: (name: string) => boolean) => {
    // what MP_TEST_EXECUTABLE names has been run already
    const again = options.isWhole && !executable.isGiven ? groups.either : [];
    const files = [...groups.executable, ...again].filter(isMine);
    if (groups.executable.length === 0 || files.length === 0 || signal.aborted) return [];
    const made = await executable.get();
    if ("file" in made) return await run(files, { env: { [EXECUTABLE_VARIABLE]: made.file } });
    const env = { [ABSENT_VARIABLE]: made.absent };
    return await run(groups.executable.filter(isMine), { env });
  };
  return [
    // the examples of docs are checked one by one, mostly on one core
    ...await runLanes(options, [
      (run) => run(groups.parallel, { flags: ["--parallel"] }),
      (run) => run(groups.docs, { flags: ["--doc"] }),
    ]),
    ...await runLanes(options, [
      (run) => run(groups.serial.filter(usesNone)),
      (run) => withExecutable(run, usesNone),
      async (run) => [
        ...await run(groups.serial.filter(usesEngine)),
        ...await withExecutable(run, usesEngine),
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
    } finally {
      out.end();
    }
  }));
  return results.flat();
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
