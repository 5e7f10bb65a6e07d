/** `mp version`. @module */

import { command } from "./command.ts";

/** Shows the version. */
export const version = command({
  description: [],
  arguments: {},
  options: {},
  examples: [{ line: "mp version --json", does: "The versions of mp and of what it runs on" }],
  run({ output, program, global }) {
    const { deno, v8, typescript } = Deno.version;
    if (global.json) {
      output.data({ mp: program.version, deno, v8, typescript, target: Deno.build.target });
    } else output.result(`mp ${program.version} (deno ${deno}, ${Deno.build.target})`);
    return Promise.resolve();
  },
});
