/**
 * The state folder: what is deployed on this machine, one folder an app.
 *
 * ```text
 * $XDG_STATE_HOME/mp/
 *   <app>/lock               held by the launcher while it lives
 *   <app>/deployment.json    where the deployment is reached
 *   <app>/trees/<n>/         the bundle of each tree of replicas
 *   <app>/ended.json         what deployment.json was, once the deployment has ended
 *   <app>/logs/              what replicas wrote; stays until the app is deleted
 * ```
 *
 * @module
 */

import { join } from "node:path";
import { MpError, systemReason } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import { privateTemporaryFolder, type ReadEnv } from "../user_folders.ts";
import type { Address } from "./address_book.ts";
import { type AppLock, tryAppLock } from "./app_lock.ts";
import type { DeploymentHandle } from "./driver.ts";
import { isRunning, type ProcessIdentity } from "./process_identity.ts";

/** A deployment that runs, wherever that is known from: here, or the platform that runs it. */
export interface KnownDeployment {
  readonly handle: DeploymentHandle;
  readonly plan: Plan;
  /** The version of `mp` that launched it. */
  readonly version: string;
  /** The process of its launcher, where it has one. */
  readonly launcher?: ProcessIdentity;
  readonly control?: DeploymentRecord["control"];
}

/** What is known of a deployment; JSON. */
export interface DeploymentRecord extends KnownDeployment {
  readonly launcher: ProcessIdentity;
  /** Where the launcher listens, and what it must be told first. */
  readonly control: { readonly address: Address; readonly secret: string };
  /** The private folder of the launcher's sockets, to be removed with the deployment. */
  readonly sockets: string;
}

/** The state folder. */
export interface StateFolder {
  readonly root: string;
  /** The folder of one app. */
  folder(app: string): string;
  /** Takes an app's lock; nothing when a launcher holds it. @throws {MpError} `state_unwritable`. */
  lock(app: string): Promise<AppLock | undefined>;
  /** @throws {MpError} `state_unwritable`. */
  write(record: DeploymentRecord): Promise<void>;
  /** Writes files, by path, into a folder of the app's. @throws {MpError} `state_unwritable`. */
  writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** The deployment of an app, if its launcher lives; what a dead one left is removed. */
  read(app: string): Promise<DeploymentRecord | undefined>;
  /** The last deployments that have ended, of apps that do not run. */
  listEnded(): Promise<DeploymentRecord[]>;
  /** All deployments whose launchers live, by name. */
  list(): Promise<DeploymentRecord[]>;
  /** The names of all apps that left anything here, deployed or not. */
  apps(): Promise<string[]>;
  /** Removes what a deployment needed to run. Its logs stay, and its record as that of an ended one. */
  clear(app: string): Promise<void>;
  /** Removes everything of an app. */
  remove(app: string): Promise<void>;
  /** Removes what is there of an app that has never run, so that nobody finds it. */
  removeUnused(app: string): Promise<void>;
}

/**
 * Where the state folder is: where neither `XDG_STATE_HOME` nor a home folder is known, a temporary one.
 *
 * @param env Reads a variable of the environment.
 * @throws {MpError} `state_unwritable` when the temporary folder is somebody else's.
 */
export function stateRoot(env: ReadEnv): string {
  const chosen = env("XDG_STATE_HOME");
  // the specification asks that a relative path be ignored
  if (chosen?.startsWith("/") || /^[A-Za-z]:[\\/]/.test(chosen ?? "")) return join(chosen!, "mp");
  const local = Deno.build.os === "windows" ? env("LOCALAPPDATA") : undefined;
  if (local) return join(local, "mp", "state");
  const home = env("HOME") ?? env("USERPROFILE");
  if (home) return join(home, ".local", "state", "mp");
  return join(privateTemporaryFolder(env), "state");
}

/** The state folder at `root`, which need not exist yet. */
export function stateFolder(root: string): StateFolder {
  const folder = (app: string) => join(root, app);
  const recordPath = (app: string) => join(folder(app), "deployment.json");
  const endedPath = (app: string) => join(folder(app), "ended.json");

  const state: StateFolder = {
    root,
    folder,
    lock: (app) =>
      writing(folder(app), async () => {
        await Deno.mkdir(folder(app), { recursive: true, mode: 0o700 });
        return await tryAppLock(join(folder(app), "lock"));
      }),
    write: (record) =>
      writing(folder(record.handle.app), async () => {
        const path = recordPath(record.handle.app);
        await Deno.writeTextFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
        await Deno.rename(`${path}.new`, path);
      }),
    writeFiles: (folder, files) =>
      writing(folder, async () => {
        await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
        await Promise.all(
          Object.entries(files).map(([path, text]) =>
            Deno.writeTextFile(path, text, { mode: 0o600 })
          ),
        );
      }),
    async read(app) {
      const record = await readRecord(recordPath(app));
      if (record === undefined || await isRunning(record.launcher)) return record;
      await clearStale(state, app);
      return undefined;
    },
    async listEnded() {
      const records = await Promise.all(
        (await state.apps()).map(async (app) =>
          await state.read(app) ? undefined : await readRecord(endedPath(app))
        ),
      );
      return records.filter((record) => record !== undefined);
    },
    async list() {
      const records = await Promise.all((await state.apps()).map((app) => state.read(app)));
      return records.filter((record) => record !== undefined);
    },
    async apps() {
      try {
        const names = [];
        for await (const entry of Deno.readDir(root)) if (entry.isDirectory) names.push(entry.name);
        return names.sort();
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw unreadable(root, error);
      }
    },
    async clear(app) {
      // the record goes first, so that nobody looks for a launcher whose socket is gone
      const record = await readRecord(recordPath(app));
      await writing(recordPath(app), async () => {
        if (record) await Deno.rename(recordPath(app), endedPath(app));
        else await removeIfThere(recordPath(app));
      });
      const ended = record ?? await readRecord(endedPath(app));
      if (ended) await removeIfThere(ended.sockets);
      await removeIfThere(join(folder(app), "trees"));
    },
    remove: (app) => removeIfThere(folder(app)),
    async removeUnused(app) {
      const isUsed = await isThere(endedPath(app)) || await isThere(recordPath(app)) ||
        await isFilled(join(folder(app), "logs"));
      if (!isUsed) await removeIfThere(folder(app));
    },
  };
  return state;
}

/** Removes what a dead launcher left, unless somebody else is at it or has become the launcher. */
async function clearStale(state: StateFolder, app: string): Promise<void> {
  try {
    const lock = await state.lock(app);
    if (!lock) return;
    try {
      const record = await readRecord(join(state.folder(app), "deployment.json"));
      if (record && !await isRunning(record.launcher)) await state.clear(app);
    } finally {
      lock.release();
    }
  } catch {
    // whoever only reads may not be allowed to write; the next launcher will clean up
  }
}

async function readRecord(path: string): Promise<DeploymentRecord | undefined> {
  try {
    const record = JSON.parse(await Deno.readTextFile(path)) as Partial<DeploymentRecord> | null;
    return record?.handle && record.launcher && record.control
      ? record as DeploymentRecord
      : undefined;
  } catch (error) {
    // a record that is not whole belongs to a machine that lost power
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw unreadable(path, error);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function isFilled(folder: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(folder)) return true;
  } catch {
    // it is not there
  }
  return false;
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unwritable(path, error);
  }
}

async function writing<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof MpError ? error : unwritable(path, error);
  }
}

function unwritable(path: string, cause: unknown): MpError {
  return new MpError(
    "state_unwritable",
    `Cannot write state in "${path}": ${systemReason(cause)}`,
    {
      cause,
      next: "Make room or give yourself access, or set XDG_STATE_HOME to another folder",
    },
  );
}

function unreadable(path: string, cause: unknown): MpError {
  return new MpError("state_unwritable", `Cannot read state in "${path}": ${systemReason(cause)}`, {
    cause,
    next: "Give yourself access, or set XDG_STATE_HOME to another folder",
  });
}
