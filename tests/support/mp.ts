/**
 * Runs the real program, away from the state of whoever runs the tests.
 *
 * @module
 */

import { AssertionError } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { denoDir } from "./deno_dir.ts";
import { keepHalves } from "./kept_halves.ts";
import { type LeftRunning, leftRunning } from "./left_running.ts";
import { type Ended, type Program, startProgram } from "./program.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** What of the environment the program is given; the rest would change what it does. */
const INHERITED =
  /^(PATH|HOME|USER|LANG|TMPDIR|SystemRoot|USERPROFILE|LOCALAPPDATA|TEMP|TMP|npm_config_.*|https?_proxy|no_proxy|SSL_CERT_.*|DENO_CERT|DENO_TLS_CA_STORE|NODE_EXTRA_CA_CERTS|LD_LIBRARY_PATH)$/i;

export interface MpOptions {
  /** The working folder; the sandbox's own unless given. */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the program reads from stdin; nothing unless given. */
  readonly stdin?: string;
}

/** A folder with the state of one test, and the program in it. */
export interface Sandbox extends AsyncDisposable {
  readonly folder: string;
  /** Runs the program to its end. */
  run(args: readonly string[], options?: MpOptions): Promise<Ended>;
  /** Starts the program. */
  start(args: readonly string[], options?: MpOptions): Program;
  /** Writes a file, and says where it is. */
  write(path: string, text: string): Promise<string>;
  /** The processes of this sandbox that run. */
  processes(): Promise<LeftRunning[]>;
  /**
   * Ends what was started, removes the folder, and sees to it that nothing is left running.
   *
   * @throws {AssertionError} When something was; it is killed.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Runs the program once, in a sandbox of its own.
 *
 * @throws {AssertionError} When it leaves something running.
 */
export async function mp(args: readonly string[], options: MpOptions = {}): Promise<Ended> {
  await using sandbox = await mpSandbox();
  return await sandbox.run(args, options);
}

/**
 * Makes a sandbox.
 *
 * @param program What is run, before its arguments. Default: the program from source, which finds ready what it makes
 * at its first runs, or the executable that `MP_TEST_EXECUTABLE` names.
 * @param ownEnv Added to the environment of everything that is run.
 */
export async function mpSandbox(
  program?: readonly string[],
  ownEnv: Readonly<Record<string, string>> = {},
): Promise<Sandbox> {
  // short, for the paths of sockets have few bytes
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-" }));
  const env = { ...await environment(folder), ...ownEnv };
  const started = new Set<Program>();
  await Promise.all(
    ["state", "cache", "run"].map((name) => Deno.mkdir(join(folder, name), { mode: 0o700 })),
  );
  if (program === undefined && !Deno.env.get("MP_TEST_EXECUTABLE")) {
    await keepHalves(join(folder, "cache"));
  }
  const [command, ...first] = program ?? mpProgram();
  const sandbox: Sandbox = {
    folder,
    start(args, options = {}) {
      const running = startProgram(command!, {
        args: [...first, ...args],
        cwd: options.cwd ?? folder,
        env: { ...env, ...options.env },
        stdin: options.stdin,
      });
      started.add(running);
      running.ended.then(() => started.delete(running));
      return running;
    },
    run: (args, options) => sandbox.start(args, options).ended,
    async write(path, text) {
      const file = join(folder, path);
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeTextFile(file, text);
      return file;
    },
    processes: () => leftRunning(folder),
    async [Symbol.asyncDispose]() {
      const late = await endAll([...started]);
      const left = await killLeft(folder);
      await Deno.remove(folder, { recursive: true });
      if (late.length + left.length === 0) return;
      throw new AssertionError(`Left running: ${[...late, ...left].join("; ")}`);
    },
  };
  return sandbox;
}

/** The program and its first arguments: the executable that `MP_TEST_EXECUTABLE` names, or the source. */
export function mpProgram(): readonly string[] {
  const executable = Deno.env.get("MP_TEST_EXECUTABLE");
  if (executable) return [executable];
  return [Deno.execPath(), "run", "-A", "--unstable-net", join(ROOT, "mp.ts")];
}

async function environment(folder: string): Promise<Record<string, string>> {
  const inherited = Object.entries(Deno.env.toObject()).filter(([name]) => INHERITED.test(name));
  return {
    ...Object.fromEntries(inherited),
    // Deno's own cache would move with XDG_CACHE_HOME
    DENO_DIR: await denoDir(),
    NO_COLOR: "1",
    // what runs in the machine's own container engine is others'
    DOCKER_HOST: `unix://${join(folder, "no-engine")}`,
    XDG_STATE_HOME: join(folder, "state"),
    XDG_CACHE_HOME: join(folder, "cache"),
    XDG_RUNTIME_DIR: join(folder, "run"),
  };
}

/** Ends programs; says which would not end. */
async function endAll(programs: readonly Program[]): Promise<string[]> {
  const late = await Promise.all(programs.map(async (program) => {
    program.kill("SIGTERM");
    const ended = await within(20_000, program.ended);
    if (ended) return [];
    program.kill("SIGKILL");
    await program.ended;
    return [`${program.pid}, 20 s after SIGTERM, having printed\n${program.lines.join("\n")}\n`];
  }));
  return late.flat();
}

/** Kills what runs in a sandbox after a moment's patience; says what that was. */
async function killLeft(folder: string): Promise<string[]> {
  const left = await stillRunning(folder);
  for (const { pid } of left) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
  if (left.length > 0) await stillRunning(folder);
  return left.map(({ pid, command }) => `${pid} (${command})`);
}

/** What runs in a sandbox and goes on running for 2 s. */
async function stillRunning(folder: string): Promise<LeftRunning[]> {
  let left = await leftRunning(folder);
  for (let patience = 20; left.length > 0 && patience > 0; patience--) {
    // the kernel has no event for the end of processes that are not one's own children
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = await leftRunning(folder);
  }
  return left;
}

/** Whether a promise settles in time. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
