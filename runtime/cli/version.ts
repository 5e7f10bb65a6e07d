/** `mp version`. @module */

import config from "../../deno.json" with { type: "json" };
import { embedded } from "../embedded.ts";
import { command } from "./command.ts";

/** Shows the versions. */
export const version = command({
  description: [
    "Two executables with the same build are the same program. Where mp runs from source, there is none.",
  ],
  arguments: {},
  options: {},
  examples: [{ line: "mp version --json", does: "The versions of mp and of what it is made of" }],
  run({ output, program, global }) {
    const { deno, v8, typescript } = Deno.version;
    const executable = embedded();
    const esbuild = executable?.esbuild.version ?? config.imports.esbuild.split("@").at(-1)!;
    const build = executable?.digest ?? null;
    const { target } = Deno.build;
    if (global.json) {
      output.data({ mp: program.version, deno, v8, typescript, esbuild, build, target });
    } else {
      output.result([
        `mp ${program.version}`,
        `deno ${deno} (${target})`,
        `v8 ${v8}`,
        `esbuild ${esbuild}`,
        `build ${build ?? "from source"}`,
      ].join("\n"));
    }
    return Promise.resolve();
  },
});
