/**
 * Processes that a benchmark starts: `mp` itself and what it is compared with.
 *
 * @module
 */

/** The root of the project. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** A process that serves until it is stopped. */
export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** Runs a topology with `mp run` and some options, in a state folder of its own, until it is ready. */
export async function runTopology(
  script: string,
  options: readonly string[] = [],
): Promise<Served> {
  const state = await Deno.makeTempDir({ prefix: "mp-bench-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--unstable-net",
      `${ROOT}mp.ts`,
      "run",
      script,
      "--port",
      "0",
      "--color=never",
      ...["--storage", `file:${state}/data.db`],
      ...options,
    ],
    cwd: ROOT,
    env: { XDG_STATE_HOME: state },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const url = await Promise.any([
    firstMatch(child.stderr, /(http:\/\/[\d.]+:\d+)/),
    firstMatch(child.stdout, /(http:\/\/[\d.]+:\d+)/),
  ]);
  return {
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(state, { recursive: true });
    },
  };
}

/** Has made what later runs start with: the first run makes what replicas run, the second what `mp` runs. */
export async function makeHalves(): Promise<void> {
  for (let run = 0; run < 2; run++) {
    await using _ = await runTopology(`${ROOT}examples/hello.ts`);
  }
}

/** Runs a baseline program, which prints its address when it is ready. */
export function runBaseline(name: string, args: readonly string[] = []): Promise<Served> {
  return served(spawnBaseline(name, args));
}

/** Runs a peer on Node; the peers' packages are installed at the first. */
export async function runPeer(name: string, args: readonly string[] = []): Promise<Served> {
  const folder = `${ROOT}scripts/bench/peers`;
  const installed = await Deno.stat(`${folder}/node_modules`).then(() => true, () => false);
  if (!installed) {
    const install = ["install", "--no-audit", "--no-fund", "--package-lock=false"];
    const { success, stderr } = await new Deno.Command("npm", { args: install, cwd: folder })
      .output();
    if (!success) throw new Error(`npm install failed:\n${new TextDecoder().decode(stderr)}`);
  }
  return served(
    new Deno.Command("node", {
      args: [`${folder}/${name}.js`, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn(),
  );
}

async function served(child: Deno.ChildProcess): Promise<Served> {
  const url = await firstMatch(child.stdout, /(http:\/\/[\d.]+:\d+)/);
  return {
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Starts a baseline program. */
export function spawnBaseline(name: string, args: readonly string[] = []): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--unstable-kv",
      `${ROOT}scripts/bench/baselines/${name}.ts`,
      ...args,
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** The first match in what a process writes; the rest is read and dropped. */
async function firstMatch(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the process ended, having written:\n${text}`);
    text += value;
    const match = pattern.exec(text);
    if (!match) continue;
    dropRest(reader);
    return match[1]!;
  }
}

async function dropRest(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}

/** The process and all its descendants. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // it ended meanwhile
    }
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** The process of a replica under a launcher. */
export function replicaOf(launcher: number, name: string): number {
  const found = processTree(launcher).find((pid) =>
    Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0").includes(`MP_REPLICA=${name}`)
  );
  if (found === undefined) throw new Error(`${name} does not run`);
  return found;
}

/** The proportional set size of a process and its descendants, in MiB. */
export function memoryOf(root: number): number {
  let kib = 0;
  for (const pid of processTree(root)) {
    const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    kib += Number(/^Pss:\s+(\d+)/m.exec(rollup)![1]);
  }
  return kib / 1024;
}
