/**
 * Starts a topology in this process.
 *
 * @module
 */

import { memoryDriver } from "../drivers/memory/driver.ts";
import { MemoryNetwork } from "../drivers/memory/network.ts";
import { memoryData, memoryStorage } from "../drivers/storage/memory.ts";
import { chooseStorage } from "../runtime/storage/choose_storage.ts";
import { lazyStorage, type StorageDrivers } from "../runtime/storage/lazy_storage.ts";
import { dirname } from "node:path";
import type { App } from "./app.ts";
import { scopeAccess } from "./app_storage.ts";
import { CallLog } from "./call_log.ts";
import { MemoryApp } from "./memory_app.ts";
import { NetworkRules } from "./network_rules.ts";
import { planScript } from "./plan_script.ts";
import { prepareScript } from "./prepared_script.ts";
import type { StartOptions } from "./start.ts";
import { StorageFaults } from "./storage_faults.ts";

/** What is joined in `testing.ts`. */
export interface TestingParts {
  /** The scripting API's functions that are the same for every evaluation. */
  readonly api: Readonly<Record<string, unknown>>;
  readonly storages: StorageDrivers;
}

/** Starts a topology, and resolves when every replica is ready. */
export async function startMemory(
  script: string | URL,
  options: StartOptions,
  { api, storages }: TestingParts,
): Promise<App> {
  const prepared = await prepareScript(script);
  const { bundle, loaded } = prepared;
  const env = {
    ...Deno.env.toObject(),
    ...options.env,
    MP_STORAGE: options.storage ?? "memory",
  };
  const plan = await planScript(prepared, {
    api,
    env,
    widths: options.replicas,
    name: options.name,
  });
  const data = memoryData();
  const faults = new StorageFaults();
  const shared: StorageDrivers = {
    ...storages,
    memory: (_config, namespace) => Promise.resolve(memoryStorage({ namespace, data })),
  };
  const calls = new CallLog();
  const network = new MemoryNetwork(calls.note);
  const driver = memoryDriver({
    api,
    storages: (replica) => faultyStorages(shared, faults, replica),
    doors: options.port === undefined ? "none" : "http",
    network: () => network,
    env,
    load: () => Promise.resolve(loaded),
  });
  const book = await driver.assign(plan, { host: "127.0.0.1", port: options.port ?? 0 });
  const files = { bundle: "", sourceMap: "", script: bundle.script };
  const rendered = driver.render(plan, book, { files, env: {} });
  const deployment = await driver.launch(rendered, { logs: "" });
  const config = chooseStorage({ env, folder: dirname(bundle.script) });
  const storage = lazyStorage(config, plan.app, shared);
  const app = new MemoryApp({
    plan,
    deployment,
    network: new NetworkRules(network, plan),
    storage: {
      ...scopeAccess(storage),
      fail: (failure) => faults.fail(failure),
      slow: (milliseconds) => faults.slow(milliseconds),
      heal: () => faults.heal(),
    },
    calls,
    onClose: async () => {
      faults.close();
      await storage.close();
    },
  });
  try {
    await deployment.ready(options.signal);
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Storages that fail when a test says so. */
export function faultyStorages(
  storages: StorageDrivers,
  faults: StorageFaults,
  replica: string,
): StorageDrivers {
  return Object.fromEntries(
    Object.entries(storages).map(([name, open]) => [
      name,
      async (...args: Parameters<typeof open>) => faults.wrap(await open(...args), replica),
    ]),
  );
}
