/** `mp export`. @module */

import { dirname, join } from "node:path";
import { messageOf, MpError } from "../errors.ts";
import { renderOrder } from "../launch/deployed.ts";
import type { Driver, ExportedFile } from "../launch/driver.ts";
import { prepare } from "../launch/prepare.ts";
import { stopBundler } from "../script/bundle.ts";
import { showPath } from "../script/show_path.ts";
import { required } from "./argument.ts";
import { command, type Program } from "./command.ts";
import {
  checkDriver,
  deployOrder,
  launchOptions,
  planOptions,
  preparation,
} from "./deploy_options.ts";
import { text, usage } from "./option.ts";
import { passOn } from "./pass_on.ts";

const { inspect: _, ...options } = launchOptions;

/** Writes the files with which a platform's own tools run a script. */
export const exportFiles = command({
  description: [
    "The script is loaded as mp run loads it, and nothing is launched. Without -o the first of the files is " +
    "printed, which is the whole where there is only one.",
  ],
  arguments: { script: required({ description: "The topology script", candidates: "file" }) },
  options: {
    output: text({
      short: "o",
      value: "DIR",
      candidates: "file",
      description: "Write the files to this folder, over those of the same names",
    }),
    ...planOptions,
    ...options,
  },
  examples: [
    {
      line: "mp export topology.ts --driver docker -o deploy",
      does: "A compose file, in a folder",
    },
    { line: "mp export topology.ts --driver kubernetes -o k8s", does: "Manifests, in a folder" },
  ],
  async run({ arguments: { script }, options, output, program, signal }) {
    const driver = await exportingDriver(options.driver, program);
    const preparing = preparation(script, options);
    const prepared = await prepare({ ...preparing, signal, onOutput: passOn(output, "stderr") })
      .finally(stopBundler);
    if (prepared.kind === "program") {
      prepared.program.kill("SIGKILL");
      await prepared.program.status;
      throw new MpError(
        "topology_invalid",
        `Cannot export "${showPath(script)}": it makes no service`,
        { next: "Make one with mp.service(name, target)" },
      );
    }
    const order = deployOrder(prepared, {
      version: program.version,
      driver: driver.name,
      options: { ...options, inspect: undefined },
      preparation: preparing,
    });
    const files = await driver.export!(await renderOrder(order, driver));
    if (options.output !== undefined) {
      await writeAll(options.output, files);
      const written = files.map(({ path }) => join(options.output!, path));
      if (output.json) output.data({ files: written });
      else for (const path of written) output.result(path);
      return;
    }
    if (output.json) return output.data({ files });
    output.stdout.sink.write(files[0]!.text);
    const others = files.slice(1).map(({ path }) => path);
    if (others.length > 0) {
      output.say("info", `It needs ${others.join(", ")} beside it: write all with -o DIR`);
    }
  },
});

async function exportingDriver(name: string | undefined, program: Program): Promise<Driver> {
  const known = Object.keys(program.drivers);
  const chosen = checkDriver(name, known);
  const driver = await program.drivers[chosen]!();
  if (driver.export) return driver;
  const others = known.filter((other) => other !== chosen && other !== "memory");
  throw usage(`Cannot export for driver "${chosen}": its replicas need mp`, {
    next: others.length > 0
      ? `Add --driver, one of ${others.join(", ")}`
      : "No driver of this mp can export",
  });
}

async function writeAll(folder: string, files: readonly ExportedFile[]): Promise<void> {
  try {
    for (const { path, text } of files) {
      const file = join(folder, path);
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
  } catch (error) {
    throw new MpError("state_unwritable", `Cannot write to "${folder}": ${messageOf(error)}`, {
      cause: error,
      next: "Choose another folder with -o",
    });
  }
}
