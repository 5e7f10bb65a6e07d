/**
 * Finds the storage in which the scopes of an app live.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { MpError } from "../errors.ts";
import type { KnownDeployment } from "../launch/state.ts";
import { appName } from "../script/app_name.ts";
import { chooseStorage } from "../storage/choose_storage.ts";
import { lazyStorage } from "../storage/lazy_storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import { isDnsLabel } from "../topology/names.ts";
import type { Program } from "./command.ts";
import { driverOf, listDeployments, reachLauncher } from "./deployments.ts";
import { deploymentOf, findDeployment, userState } from "./find_deployment.ts";
import { usage } from "./option.ts";
import type { Output } from "./output.ts";

/** Which scopes are meant. */
export interface ScopesOptions {
  /** An app, a script, or nothing for the only one that runs. */
  readonly app?: string;
  /** The text of `--storage`. */
  readonly storage?: string;
  /** Whether a file is made that is not there. */
  readonly mayMake: boolean;
}

/** Opens the storage where scopes live. @throws {MpError} */
export async function openScopes(
  options: ScopesOptions,
  { output, program }: Around,
): Promise<Storage> {
  const storages = await program.storages();
  const open = (config: StorageConfig, app: string) => {
    // who only looks makes no file, least of all at a path that is misspelt
    const isNew = config.storage === "file" && !options.mayMake && isAbsent(config.path);
    return lazyStorage(isNew ? { storage: "memory" } : config, app, storages);
  };
  const { app, script, record, known } = await whose(options, { output, program });
  const own = options.storage === undefined ? await storageOf(record, program) : undefined;
  if (own?.storage === "memory") {
    throw new MpError(
      "unsupported",
      `Cannot look at the scopes of "${app}": they are in the memory of each replica`,
      { next: "Run it with another storage, such as --storage file" },
    );
  }
  if (known && own?.storage === "file") await checkFile(known, program);
  if (own !== undefined) return open(own, app);
  const env = Object.fromEntries(
    ["MP_STORAGE", "REDIS_URL", "REDIS_HOST", "MYSQL_URL"].map((name) => [name, program.env(name)]),
  );
  const config = chooseStorage({ flag: options.storage, env, folder: dirname(script) });
  if (known && options.storage === undefined && config.storage === "file") {
    await checkFile(known, program);
  }
  return open(config, app);
}

/** @throws {MpError} `unsupported` where the storage `file` of a deployment is no file of this machine. */
async function checkFile(known: KnownDeployment, program: Program): Promise<void> {
  const elsewhere = (await driverOf(known, program)).dataElsewhere?.(known.plan);
  if (elsewhere === undefined) return;
  throw new MpError(
    "unsupported",
    `Cannot look at the scopes of "${known.handle.app}": they are ${elsewhere.where}`,
    { next: elsewhere.next },
  );
}

/** Where a running app keeps its scopes; nothing when it uses none. */
async function storageOf(
  record: KnownDeployment | undefined,
  program: Program,
): Promise<StorageConfig | undefined> {
  if (record === undefined) return undefined;
  using launcher = await reachLauncher(record, program);
  return await launcher.storage() ?? undefined;
}

interface Around {
  readonly output: Output;
  readonly program: Program;
}

interface Whose {
  readonly app: string;
  readonly script: string;
  /** What runs, if it does. */
  readonly record?: KnownDeployment;
  /** What runs, or has run. */
  readonly known?: KnownDeployment;
}

/** The app whose scopes are meant: one that runs, one that has ended, that of a script, or any in a given storage. */
async function whose(
  { app: name, storage }: ScopesOptions,
  { output, program }: Around,
): Promise<Whose> {
  const state = userState(program);
  const running = await listDeployments(program, { name, output });
  const records = [...running, ...await state.listEnded()];
  const whoseOf = (record: KnownDeployment): Whose => ({
    app: record.handle.app,
    script: record.handle.script,
    known: record,
    ...(running.includes(record) && { record }),
  });
  const known = name === undefined ? undefined : deploymentOf(records, name);
  if (known) return whoseOf(known);
  const script = name === undefined ? undefined : resolve(name);
  if (script !== undefined && isFile(script)) return { app: appName({ script }), script };
  // a server can be looked at from a machine on which the app never ran
  if (storage !== undefined && name !== undefined && isDnsLabel(name)) {
    return { app: name, script: resolve("topology.ts") };
  }
  const among = running.length > 0 ? running : records;
  if (name === undefined && among.length > 1) {
    throw usage(`Cannot tell whose scopes are meant: ${among.length} apps are known here`, {
      next: `Add --app, one of ${among.map(({ handle }) => handle.app).join(", ")}`,
    });
  }
  return whoseOf(findDeployment(among, name));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function isAbsent(path: string): boolean {
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}
