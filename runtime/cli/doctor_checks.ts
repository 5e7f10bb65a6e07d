/**
 * What `mp doctor` looks at.
 *
 * @module
 */

import { join } from "node:path";
import { messageOf, MpError } from "../errors.ts";
import { replicaCommand, servingHalf } from "../launch/serving_half.ts";
import { stateFolder, stateRoot } from "../launch/state.ts";
import { dial, listen } from "../peer/address.ts";
import { stopBundler, warmUpBundler } from "../script/bundle.ts";
import { loadScript } from "../script/load.ts";
import { chooseStorage } from "../storage/choose_storage.ts";
import { showStorage } from "../storage/storage_url.ts";
import type { Program } from "./command.ts";
import { makeSocketFolder, makeTemporaryFolder } from "../user_folders.ts";

/** What was looked at and what was found. */
export interface Check {
  readonly name: string;
  /** `warning`: it works, but something is worth knowing. */
  readonly state: "ok" | "warning" | "failed";
  readonly found: string;
  /** What to do about it. */
  readonly next?: string;
}

/** The Deno with which everything was tried is newer; this is the oldest that has all that is used. */
const OLDEST_DENO = [2, 6];
const PORT = 3000;

/** What is asked besides. */
export interface CheckOptions {
  /** The text of `--storage`. */
  readonly storage: string | undefined;
  readonly signal: AbortSignal;
}

/** Looks at everything. */
export function checks(program: Program, options: CheckOptions): Promise<Check>[] {
  return [
    ...(namesStorage(program, options)
      ? [check("storage", () => checkStorage(program, options))]
      : []),
    check("Deno", checkDeno),
    check("esbuild", checkEsbuild),
    check("state folder", () => checkState(program)),
    check("sockets", checkSockets),
    check("replicas", checkReplicas),
    check("no orphans", checkOrphans),
    check(`port ${PORT}`, () => checkPort(program)),
    check("Docker", () => checkDriver(program, "docker")),
    check("Kubernetes", () => checkDriver(program, "kubernetes")),
  ];
}

type Finding = string | Omit<Check, "name">;

async function check(name: string, look: () => Finding | Promise<Finding>): Promise<Check> {
  try {
    const finding = await look();
    return typeof finding === "string"
      ? { name, state: "ok", found: finding }
      : { name, ...finding };
  } catch (error) {
    const next = error instanceof MpError ? error.next : undefined;
    return { name, state: "failed", found: messageOf(error), next };
  }
}

function checkDeno(): Finding {
  const { deno } = Deno.version;
  const [major = 0, minor = 0] = deno.split(".").map(Number);
  const [oldMajor, oldMinor] = OLDEST_DENO as [number, number];
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return deno;
  return {
    state: "failed",
    found: `${deno} is too old`,
    next: `Use ${OLDEST_DENO.join(".")} or newer`,
  };
}

async function checkEsbuild(): Promise<Finding> {
  const { version } = await warmUpBundler();
  await stopBundler();
  return `${version} runs`;
}

async function checkState(program: Program): Promise<Finding> {
  const root = stateRoot(program.env);
  const probe = join(root, `.probe-${crypto.randomUUID()}`);
  await stateFolder(root).writeFiles(probe, { [join(probe, "file")]: "probe" });
  await Deno.remove(probe, { recursive: true });
  return `${root} can be written`;
}

async function checkSockets(): Promise<Finding> {
  if (Deno.build.os === "windows") return "not used here";
  const folder = makeSocketFolder("mp-");
  try {
    const address = `unix:${join(folder, "socket")}` as const;
    const listener = listen(address);
    const [accepted, dialled] = await Promise.all([listener.accept(), dial(address)]);
    accepted.close();
    dialled.close();
    listener.close();
    return `work in ${folder.slice(0, folder.lastIndexOf("/"))}`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Loads an empty program, as every script is loaded. */
async function checkReplicas(): Promise<Finding> {
  const { entry } = await servingHalf();
  const folder = makeTemporaryFolder("mp-");
  try {
    const [bundle, sourceMap] = [join(folder, "bundle.mjs"), join(folder, "bundle.mjs.map")];
    await Deno.writeTextFile(bundle, "export default async () => ({});\n");
    await Deno.writeTextFile(sourceMap, `{"version":3,"sources":[],"mappings":""}`);
    const before = performance.now();
    const loaded = await loadScript(
      { bundle, sourceMap, script: bundle, hash: "" },
      { command: replicaCommand(entry) },
    );
    const took = performance.now() - before;
    if (loaded.kind === "program") await loaded.program.status;
    return `start in ${took.toFixed(0)} ms`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function checkOrphans(): Promise<Finding> {
  if (Deno.build.os !== "linux") return "replicas are watched by another process";
  const { withCLibrary } = await import("../replica/c_library.ts");
  const PR_GET_NO_NEW_PRIVS = 39;
  // the same system call that asks for the signal, as a question that changes nothing
  const answer = withCLibrary(
    { prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" } },
    ({ prctl }) => prctl(PR_GET_NO_NEW_PRIVS, 0n, 0n, 0n, 0n),
  );
  if (answer !== undefined && answer >= 0) return "the kernel ends replicas with their launcher";
  return {
    state: "warning",
    found: "the kernel cannot be asked to end replicas with their launcher",
    next: "After a kill -9 of mp, look for replicas that are left",
  };
}

async function checkPort(program: Program): Promise<Finding> {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: PORT }).close();
    return "free";
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  }
  const owner = await program.portOwner(PORT);
  return {
    state: "warning",
    found: owner?.app !== undefined
      ? `in use by app "${owner.app}" (process ${owner.pid})`
      : owner
      ? `in use by process ${owner.pid} (${owner.command})`
      : "in use by another user's process",
    next: "Give mp run another with --port, or 0 for any that is free",
  };
}

async function checkDriver({ drivers }: Program, name: string): Promise<Finding> {
  if (!Object.hasOwn(drivers, name)) return `not needed: this mp has no ${name} driver`;
  const driver = await drivers[name]!();
  if (!driver.probe) return `needed only for --driver ${name}`;
  try {
    return await driver.probe();
  } catch (error) {
    if (!(error instanceof MpError)) throw error;
    // most people deploy in one way
    return {
      state: "warning",
      found: `${error.message}; needed only for --driver ${name}`,
      next: error.next,
    };
  }
}

const STORAGE_VARIABLES = ["MP_STORAGE", "REDIS_URL", "REDIS_HOST", "MYSQL_URL"];

function namesStorage(program: Program, { storage }: CheckOptions): boolean {
  return storage !== undefined || STORAGE_VARIABLES.some((name) => program.env(name) !== undefined);
}

async function checkStorage(
  program: Program,
  { storage, signal }: CheckOptions,
): Promise<Finding> {
  const env = Object.fromEntries(STORAGE_VARIABLES.map((name) => [name, program.env(name)]));
  const config = chooseStorage({ flag: storage, env, folder: Deno.cwd() });
  const shown = showStorage(config);
  const warnings = await program.storageAdvice(config, signal);
  if (warnings.length > 0) return { state: "warning", found: `${shown}: ${warnings.join("; ")}` };
  return config.storage === "redis" || config.storage === "mysql" ? `${shown} answers` : shown;
}
