/**
 * Starts a topology in this process.
 *
 * @module
 */

import { dirname } from "node:path";
import type { MemoryDeployment } from "../drivers/memory/deployment.ts";
import { memoryDriver, type MemoryDriverOptions } from "../drivers/memory/driver.ts";
import { MemoryNetwork } from "../drivers/memory/network.ts";
import { type MemoryData, memoryData, memoryStorage } from "../drivers/storage/memory.ts";
import type { Plan } from "../runtime/plan/plan.ts";
import { chooseStorage } from "../runtime/storage/choose_storage.ts";
import { lazyStorage, type StorageDrivers } from "../runtime/storage/lazy_storage.ts";
import type { Storage } from "../runtime/storage/storage.ts";
import type { App } from "./app.ts";
import { scopeAccess } from "./app_storage.ts";
import { CallLog } from "./call_log.ts";
import { MemoryApp } from "./memory_app.ts";
import { NetworkRules } from "./network_rules.ts";
import { planScript } from "./plan_script.ts";
import { type PreparedScript, prepareScript } from "./prepared_script.ts";
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
  const { replicas: widths, name, port, signal } = options;
  const env = { ...Deno.env.toObject(), ...options.env, MP_STORAGE: options.storage ?? "memory" };
  const plan = await planScript(prepared, { api, env, widths, name });
  const { app, deployment } = await launchInMemory({
    prepared,
    plan,
    env,
    storages,
    driver: { api, doors: port === undefined ? "none" : "http" },
    port,
  });
  try {
    await deployment.ready(signal);
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** What {@linkcode launchInMemory} launches. */
export interface LaunchInMemoryOptions {
  readonly prepared: PreparedScript;
  readonly plan: Plan;
  readonly env: Readonly<Record<string, string>>;
  readonly storages: StorageDrivers;
  readonly driver: Omit<MemoryDriverOptions, "storages" | "network" | "env" | "load">;
  /** Of the door. */
  readonly port?: number;
  /** What lies between a replica and its storage, besides the faults of the test. */
  readonly wrap?: (storage: Storage, replica: string) => Storage;
  /** Told of every message. Default: nobody. */
  readonly onMessage?: CallLog["note"];
}

/** What was launched. */
export interface LaunchedInMemory {
  readonly app: MemoryApp;
  readonly deployment: MemoryDeployment;
  readonly network: MemoryNetwork;
  readonly rules: NetworkRules;
  /** What the storage `memory` holds. */
  readonly data: MemoryData;
}

/** Launches a plan in this process; replicas are on their way. */
export async function launchInMemory(options: LaunchInMemoryOptions): Promise<LaunchedInMemory> {
  const { prepared, plan, env, port = 0, wrap, onMessage } = options;
  const { loaded, bundle: { script } } = prepared;
  const data = memoryData();
  const faults = new StorageFaults();
  const shared: StorageDrivers = {
    ...options.storages,
    memory: (_config, namespace) => Promise.resolve(memoryStorage({ namespace, data })),
  };
  const calls = new CallLog();
  const network = new MemoryNetwork((message, fate) => {
    calls.note(message, fate);
    onMessage?.(message, fate);
  });
  const driver = memoryDriver({
    ...options.driver,
    storages: (replica) =>
      wrapped(shared, (storage) => {
        const faulty = faults.wrap(storage, replica);
        return wrap ? wrap(faulty, replica) : faulty;
      }),
    network: () => network,
    env,
    load: () => Promise.resolve(loaded),
  });
  const book = await driver.assign(plan, { host: "127.0.0.1", port });
  const files = { bundle: "", sourceMap: "", script };
  const deployment = await driver.launch(driver.render(plan, book, { files, env: {} }), {
    logs: "",
  });
  const config = chooseStorage({ env, folder: dirname(script) });
  const storage = lazyStorage(config, plan.app, shared);
  const rules = new NetworkRules(network, plan);
  const app = new MemoryApp({
    plan,
    deployment,
    network: rules,
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
  return { app, deployment, network, rules, data };
}

/** Storages with something around them. */
function wrapped(storages: StorageDrivers, wrap: (storage: Storage) => Storage): StorageDrivers {
  return Object.fromEntries(
    Object.entries(storages).map(([name, open]) => [
      name,
      async (...args: Parameters<typeof open>) => wrap(await open(...args)),
    ]),
  );
}
