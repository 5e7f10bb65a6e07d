/**
 * Starts a topology as processes.
 *
 * @module
 */

import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { MpError } from "../runtime/errors.ts";
import { assignOrder, launchAssigned } from "../runtime/launch/deployed.ts";
import type { Driver } from "../runtime/launch/driver.ts";
import { prepare, replicaEntry } from "../runtime/launch/prepare.ts";
import { replicaCommand } from "../runtime/launch/serving_half.ts";
import { stateFolder } from "../runtime/launch/state.ts";
import { stopBundler } from "../runtime/script/bundle.ts";
import { showPath } from "../runtime/script/show_path.ts";
import { chooseStorage } from "../runtime/storage/choose_storage.ts";
import { lazyStorage, type StorageDrivers } from "../runtime/storage/lazy_storage.ts";
import type { App } from "./app.ts";
import { scopeAccess } from "./app_storage.ts";
import { pathOf } from "./prepared_script.ts";
import { ProcessApp } from "./process_app.ts";
import type { StartOptions } from "./start.ts";

/** What is joined in `testing.ts`. */
export interface ProcessParts {
  readonly driver: () => Promise<Driver>;
  readonly storages: StorageDrivers;
}

/** Starts a topology as `mp run` would, in a temporary folder, and resolves when every replica is ready. */
export async function startProcesses(
  script: string | URL,
  options: StartOptions,
  { driver: loadDriver, storages }: ProcessParts,
): Promise<App> {
  const { replicas: widths = {}, name, signal = new AbortController().signal } = options;
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    const env = {
      ...options.env,
      MP_STORAGE: options.storage ?? `file:${join(folder, "data.db")}`,
    };
    const path = pathOf(script);
    const prepared = await prepare({ script: path, name, widths, env, signal })
      .finally(stopBundler);
    if (prepared.kind === "program") {
      prepared.program.kill("SIGKILL");
      await prepared.program.status;
      throw new MpError(
        "topology_invalid",
        `Cannot start "${showPath(path)}": it makes no service`,
        {
          next: "Make one with mp.service(name, target)",
        },
      );
    }
    const { plan, bundle } = prepared;
    const driver = await loadDriver();
    const entry = await replicaEntry();
    const tools = {
      driver,
      state: stateFolder(join(folder, "state")),
      command: () => replicaCommand(entry),
    };
    const order = {
      version: config.version,
      driver: driver.name,
      plan,
      bundle,
      env,
      cwd: Deno.cwd(),
      port: options.port ?? 0,
      widths,
    };
    const deployed = await assignOrder(order, tools);
    const deployment = await launchAssigned(deployed, tools, { signal });
    try {
      await deployment.ready();
      const chosen = chooseStorage({ env, folder });
      const storage = lazyStorage(chosen, plan.app, storages);
      return new ProcessApp({
        plan,
        deployment,
        storage: scopeAccess(storage),
        secret: await Deno.readTextFile(join(deployed.book.folder!, "secret")),
        onClose: async () => {
          await storage.close();
          await deployment.delete();
          await remove();
        },
      });
    } catch (error) {
      await deployment.delete();
      throw error;
    }
  } catch (error) {
    await remove();
    throw error;
  }
}
