/**
 * The process driver: replicas are child processes of the launcher.
 *
 * @module
 */

import type { Driver } from "../../runtime/launch/driver.ts";
import { assign } from "./assign.ts";
import { launchProcesses, type ProcessLaunchOptions } from "./deployment.ts";
import { type ProcessManifest, render } from "./manifest.ts";

/** Options of {@linkcode processDriver}. */
export type ProcessDriverOptions = Pick<ProcessLaunchOptions, "policy" | "takesOver">;

/**
 * Makes the process driver.
 *
 * Replicas are supervised: one that ends is started again, at the same address, with exponential
 * back-off and jitter; one that ends again and again is named; one whose event loop is blocked for longer
 * than its `stallLimit` is killed and started again. They end with the launcher, however it ends.
 */
export function processDriver(options: ProcessDriverOptions = {}): Driver<ProcessManifest> {
  return {
    name: "process",
    capabilities: {
      outlivesLauncher: false,
      limitsResources: false,
      blueGreen: options.takesOver ?? Deno.build.os === "linux",
    },
    assign,
    render,
    // deno-lint-ignore require-await -- what it throws is to be a rejection
    launch: async (rendered, launchOptions) =>
      launchProcesses(rendered, { ...launchOptions, ...options }),
  };
}
