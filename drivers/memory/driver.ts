/**
 * The memory driver: replicas are instances of the bundle in this process.
 *
 * Each has module state, an environment, timers, a console and a `globalThis` of its own. What cannot be
 * kept apart: state within Node's built-in modules, the process's working folder, signal listeners, and
 * how much of the processor and memory each takes. A script that computes without end holds up all.
 *
 * @module
 */

import type { DeploymentFiles, Driver } from "../../runtime/launch/driver.ts";
import { rpcApp } from "../../runtime/rpc/app.ts";
import type { StorageDrivers } from "../../runtime/storage/lazy_storage.ts";
import { launchMemory, type MemoryDeployment } from "./deployment.ts";
import { type LoadedForm, loadForm } from "./load_form.ts";
import { assign, type MemoryManifest, render } from "./manifest.ts";
import type { MemorySurroundings } from "./memory_replica.ts";
import { MemoryNetwork } from "./network.ts";

/** Options of {@linkcode memoryDriver}. */
export interface MemoryDriverOptions extends Pick<MemorySurroundings, "api" | "refine"> {
  /** How storages are opened for a replica. */
  readonly storages: (replica: string) => StorageDrivers;
  /** Whether doors listen on ports of this machine, or are called within the process only. Default: `"http"`. */
  readonly doors?: "http" | "none";
  /** The network of one deployment. Default: one in which everything arrives at once. */
  readonly network?: () => MemoryNetwork;
  /** What replicas show each other when they connect. Default: random. */
  readonly secret?: string;
  /** How a bundle is loaded. Default: from its file. */
  readonly load?: (files: DeploymentFiles) => Promise<LoadedForm>;
  /** The process's environment, as replicas see it. Default: all of it. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The memory driver. */
export interface MemoryDriver extends Driver<MemoryManifest> {
  render: typeof render;
  launch(...args: Parameters<Driver<MemoryManifest>["launch"]>): Promise<MemoryDeployment>;
}

/** Makes the memory driver. */
export function memoryDriver(options: MemoryDriverOptions): MemoryDriver {
  const { doors = "http", secret = crypto.randomUUID(), env = Deno.env.toObject() } = options;
  return {
    name: "memory",
    capabilities: { outlivesLauncher: false, limitsResources: false, blueGreen: true },
    // deno-lint-ignore require-await -- what it throws is to be a rejection
    assign: async (plan, assignOptions) => assign(plan, assignOptions, doors),
    render,
    launch: (manifest, { grace = 10_000, signal }) =>
      Promise.resolve(launchMemory(manifest, {
        ...options,
        network: options.network?.() ?? new MemoryNetwork(),
        secret,
        env,
        load: ({ files }) => (options.load ?? loadForm)(files),
        makeApp: rpcApp,
        grace,
        signal,
      })),
  };
}
