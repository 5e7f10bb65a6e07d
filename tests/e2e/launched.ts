/**
 * Runs a topology script with the real program, and follows what the program tells.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { LauncherStatus } from "../../runtime/launch/launcher.ts";
import type { DeploymentHandle, ReplicaStatus } from "../../runtime/launch/driver.ts";
import { type MpOptions, mpSandbox, type Sandbox } from "../support/mp.ts";
import type { Ended, Program } from "../support/program.ts";
import { ask, type Reply } from "./callers.ts";

/** What `mp run --json` tells, a line each. */
export interface Told {
  readonly event: string;
  readonly path?: string;
  readonly index?: number;
  readonly state?: string;
  readonly tree?: number;
  readonly restarts?: number;
  readonly pid?: number;
  readonly time?: number;
  readonly text?: string;
  readonly message?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A script that `mp run` has launched. */
export interface Launched extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly program: Program;
  /** The script's path. */
  readonly script: string;
  /** Where its door is. */
  readonly url: string;
  /** Calls a service and returns the whole reply. */
  reply(service: string, ...params: unknown[]): Promise<Reply>;
  /** Resolves with the first thing that is as wanted and was told after the first `from` lines. */
  told(wanted: (told: Told) => boolean, from?: number): Promise<Told>;
  /** What runs, as `mp ps` tells. */
  replicas(): Promise<readonly ReplicaStatus[]>;
  /** The process of one replica, `shop.scatter.2`. */
  pidOf(replica: string): Promise<number>;
  /** Stops it as Ctrl-C does. */
  stop(): Promise<Ended>;
  /** Stops it unless it was stopped or killed, and sees to it that nothing is left running. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The app that a script makes here. */
export const APP = "shop";

/** The environment in which a sandbox keeps what is temporary, too. */
export function ownTemporaryFolder(sandbox: Sandbox): { TMPDIR: string } {
  return { TMPDIR: join(sandbox.folder, "tmp") };
}

/** The text of a script, without the lines that all of them have. */
export function script(body: string): string {
  return `import * as mp from "@metaparticle/mp";\n${body}\nmp.serve();\n`;
}

/**
 * Launches a script on a free port, and waits until it is ready.
 *
 * @param body The script, without its first and last line; or where it is.
 */
export async function launch(
  body: string | URL,
  { args = [], env, ...options }: MpOptions & { readonly args?: readonly string[] } = {},
): Promise<Launched> {
  const sandbox = await mpSandbox();
  const file = body instanceof URL
    ? fromFileUrl(body)
    : await sandbox.write(`${APP}.ts`, script(body));
  await Deno.mkdir(join(sandbox.folder, "tmp"));
  const program = sandbox.start(["run", "--json", "--port", "0", ...args, file], {
    ...options,
    env: { ...ownTemporaryFolder(sandbox), ...env },
  });
  let ready: string;
  try {
    ready = await program.line(/"event":"ready"/, { timeout: 60_000 });
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
  const url = urlOf(JSON.parse(ready));
  let ended: Ended | undefined;
  program.ended.then((how) => ended = how);
  const stop = () => {
    program.kill("SIGINT");
    return program.ended;
  };
  return {
    sandbox,
    program,
    script: file,
    url,
    stop,
    reply: (service, ...params) => ask(url, service, ...params),
    told: (wanted, from) => told(program, wanted, from),
    replicas: () => replicasOf(sandbox),
    async pidOf(name) {
      const all = await replicasOf(sandbox);
      return all.find(({ path, index }) => `${path}.${index}` === name)!.pid!;
    },
    async [Symbol.asyncDispose]() {
      const how = ended ?? await stop();
      await sandbox[Symbol.asyncDispose]();
      if (how.signal !== "SIGKILL") assertEquals(how.code, 0, program.lines.join("\n"));
    },
  };
}

/** What runs of the app in a sandbox, as `mp ps` tells. */
export async function replicasOf(sandbox: Sandbox): Promise<readonly ReplicaStatus[]> {
  const { code, stdout, stderr } = await sandbox.run(["ps", "--json"]);
  assertEquals(code, 0, stderr);
  const all = JSON.parse(stdout) as LauncherStatus[];
  return all.find(({ handle }) => handle.app === APP)?.replicas ?? [];
}

/** Where a deployment is reached, by what `mp run --json` tells of it. */
export function urlOf({ doors }: Pick<DeploymentHandle, "doors">): string {
  return doors.length > 0 ? `http://${doors[0]!.address.slice("tcp:".length)}` : "";
}

/** Resolves with the first thing that a program tells, or has told, and that is as wanted. */
export async function told(
  program: Program,
  wanted: (told: Told) => boolean,
  from = 0,
): Promise<Told> {
  for (let i = from;; i++) {
    const line = await program.line(/^/, { from: i, timeout: 60_000 });
    const told = line.startsWith("{") ? JSON.parse(line) as Told : undefined;
    if (told && wanted(told)) return told;
  }
}

/** Resolves when no process of a sandbox runs any more. @returns How long that took, in milliseconds. */
export async function untilNoneRuns(sandbox: Sandbox): Promise<number> {
  const started = performance.now();
  for (;;) {
    const left = await sandbox.processes();
    const took = performance.now() - started;
    if (left.length === 0) return took;
    if (took > 30_000) throw new Error(`Still running: ${JSON.stringify(left)}`);
    // the kernel has no event for the end of processes that are not one's own children
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves when there is a file of that name in a folder. */
export async function untilThere(folder: string, name: string): Promise<void> {
  const path = `${folder}/${name}`;
  using watcher = Deno.watchFs(folder, { recursive: false });
  const there = () => Deno.stat(path).then(() => true, () => false);
  if (await there()) return;
  for await (const _ of watcher) if (await there()) return;
}
