/**
 * The program `mp`. With `testing.ts` the only file that joins all parts.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import config from "./deno.json" with { type: "json" };
import { commandTable } from "./runtime/cli/command_table.ts";
import { directLine } from "./runtime/cli/direct_line.ts";
import { runProgram } from "./runtime/cli/program.ts";
import { systemOutput } from "./runtime/cli/system_output.ts";
import { isBundled, madeOf, programModule } from "./runtime/own_files.ts";
import type { ImageBuilder } from "./drivers/kubernetes/provide_image.ts";
import type { ReplicaCommand } from "./runtime/launch/driver.ts";
import type { Drivers } from "./runtime/launch/drivers.ts";
import type { StorageConfig } from "./runtime/storage/storage_config.ts";

/** Launch drivers by name; each is loaded when it is asked for. */
const drivers: Drivers = {
  process: async () => (await import("./drivers/process/driver.ts")).processDriver(),
  docker: async () => (await import("./drivers/docker/driver.ts")).dockerDriver({ env, portOwner }),
  kubernetes: async () =>
    (await import("./drivers/kubernetes/driver.ts")).kubernetesDriver({ builder: imageBuilder }),
};

/** Builds images for the driver `kubernetes`, with an engine of this machine. */
const imageBuilder: ImageBuilder = {
  async make(tag, options) {
    const { makeGenericImage } = await import("./drivers/docker/generic_image.ts");
    await makeGenericImage({ tag, env, ...options });
  },
};

/** How this program is started: the executable, or its source by Deno. */
const self: ReplicaCommand = Deno.build.standalone ? { command: Deno.execPath(), args: [] } : {
  command: Deno.execPath(),
  args: ["run", "-A", "--unstable-net", fileURLToPath(programModule)],
};

async function portOwner(port: number) {
  return await (await import("./drivers/process/port_owner.ts")).portOwner(port);
}

/** Storages by name, for `mp scope`. */
const storages = async () => (await import("./drivers/storage/storages.ts")).storages;

async function storageAdvice(config: StorageConfig, signal: AbortSignal) {
  const advice = await import("./drivers/storage/storage_advice.ts");
  return await advice.storageAdvice(config, signal);
}

/** What tests may import, for `mp test`. */
async function testModules() {
  const [api, testing, assert] = await Promise.all([
    import("./mod.ts"),
    import("./testing.ts"),
    import("@std/assert"),
  ]);
  return {
    "@metaparticle/mp": api,
    "@metaparticle/mp/testing": testing,
    "@std/assert": assert,
  };
}

/** Where it runs from source, the next start is to be sooner. */
async function keepForNext(): Promise<void> {
  if (isBundled || madeOf !== undefined) return;
  await (await import("./runtime/launch/keep_launching_half.ts")).keepLaunchingHalf();
}

const env = (name: string): string | undefined => Deno.env.get(name) || undefined;

/**
 * Runs one command line.
 *
 * @param args What stands after `mp`.
 * @returns The exit status: 0 done, 1 failed, 2 wrong usage.
 */
export async function main(args: readonly string[]): Promise<number> {
  return await runProgram(
    args,
    {
      version: config.version,
      drivers,
      storages,
      storageAdvice,
      testModules,
      commands: commandTable,
      env,
      self,
      keepForNext,
      portOwner,
    },
    (global) => systemOutput(global, env),
  );
}

/**
 * Runs the command line of a topology script that was itself started, by `deno run -A topology.ts`.
 *
 * @param script The URL of the script.
 * @param args What stands after it: `plan`, `delete --driver=docker`.
 * @returns The exit status.
 */
export async function direct(script: string, args: readonly string[]): Promise<number> {
  return await main(directLine(fileURLToPath(script), args));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
