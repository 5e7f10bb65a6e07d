/**
 * An empty machine: a folder with nothing but the executable, no `PATH`, no `HOME`, and no network but the
 * loopback, where the system lets a test have a network of its own.
 *
 * @module
 */

import { join } from "@std/path";
import { executable } from "../support/executable.ts";
import { leftRunning } from "../support/left_running.ts";

/** How a command line ended. */
export interface Done {
  readonly line: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The machine. */
export interface LonelyMachine extends AsyncDisposable {
  readonly folder: string;
  /** Why it can reach the network that this machine has; nothing when it cannot. */
  readonly reaches?: string;
  /**
   * Runs lines of a shell's language one after the other, each in the same network. `mp` is the executable; nothing
   * else is on the `PATH`.
   */
  run(lines: readonly string[]): Promise<Done[]>;
  /** The processes that run there. */
  processes(): Promise<unknown[]>;
}

/** Makes the machine; it has a copy of the executable, and no other file. */
export async function lonelyMachine(): Promise<LonelyMachine> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-" }));
  await Deno.copyFile(executable(), join(folder, "mp"));
  await Deno.mkdir(join(folder, "tmp"));
  const network = await ownNetwork();
  return {
    folder,
    reaches: network.absent,
    run: (lines) => runLines(folder, network.wrap, lines),
    processes: () => leftRunning(folder),
    async [Symbol.asyncDispose]() {
      for (const { pid } of await leftRunning(folder)) Deno.kill(pid, "SIGKILL");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** How a shell is given a network with nothing but the loopback. */
async function ownNetwork(): Promise<{ wrap: readonly string[]; absent?: string }> {
  const wrap = ["unshare", "--map-root-user", "--net", "sh", "-c"];
  try {
    const [command, ...args] = wrap;
    const { success, stderr } = await new Deno.Command(command!, {
      args: [...args, "ip link set lo up"],
    }).output();
    if (success) return { wrap };
    return { wrap: ["sh", "-c"], absent: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    return { wrap: ["sh", "-c"], absent: String(error) };
  }
}

async function runLines(
  folder: string,
  [command, ...args]: readonly string[],
  lines: readonly string[],
): Promise<Done[]> {
  const out = (i: number, name: string) => join(folder, "tmp", `${i}.${name}`);
  const script = [
    "ip link set lo up 2>/dev/null",
    // the shell is not part of the machine: its own programs are gone when the first line runs
    "PATH=; HOME=; export PATH HOME",
    `cd '${folder}'`,
    `mp() { '${folder}/mp' "$@"; }`,
    ...lines.map((line, i) =>
      `{ ${line}\n} >'${out(i, "out")}' 2>'${out(i, "err")}' </dev/null; echo $? >'${
        out(i, "code")
      }'`
    ),
  ].join("\n");
  const shell = new Deno.Command(command!, {
    args: [...args, script],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      NO_COLOR: "1",
      TMPDIR: join(folder, "tmp"),
      // nor is there a container engine; what runs in this machine's own is others'
      DOCKER_HOST: `unix://${join(folder, "no-engine")}`,
    },
    stdin: "null",
  });
  const { stderr } = await shell.output();
  return await Promise.all(lines.map(async (line, i) => {
    const text = (name: string) => Deno.readTextFile(out(i, name)).catch(() => "");
    const code = await text("code");
    if (code === "") throw new Error(`"${line}" did not end: ${new TextDecoder().decode(stderr)}`);
    return { line, code: Number(code), stdout: await text("out"), stderr: await text("err") };
  }));
}
