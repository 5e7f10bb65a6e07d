/** `mp help`. @module */

import { optional } from "./argument.ts";
import { command } from "./command.ts";
import { formatCommandHelp, formatProgramHelp } from "./format_help.ts";
import { findCommand } from "./parse.ts";

/** Shows help. */
export const help = command({
  description: [],
  arguments: {
    command: optional({ description: "The command to show help on", candidates: "command" }),
  },
  options: {},
  examples: [{ line: "mp help run", does: "Every option of mp run" }],
  async run({ arguments: { command: name }, output, program }) {
    const layout = { columns: output.columns(), palette: output.stdout.palette };
    output.result(
      name === undefined
        ? formatProgramHelp(program.commands, layout)
        : formatCommandHelp(await findCommand(name, program.commands).load(), layout),
    );
  },
});
