/**
 * The program: from a command line to an exit status.
 *
 * @module
 */

import { toErrorRecord } from "../launch/error_record.ts";
import type { Command, Program } from "./command.ts";
import { formatCommandHelp, formatProgramHelp } from "./format_help.ts";
import type { Global } from "./global_options.ts";
import type { Output } from "./output.ts";
import { findCommand, parseLine, readGlobal, splitLine } from "./parse.ts";
import { exitStatus, showError } from "./show_error.ts";

/**
 * Runs one command line.
 *
 * @param makeOutput Makes the output that the global options ask for.
 * @returns The exit status: 0 done, 1 failed, 2 wrong usage.
 */
export async function runProgram(
  args: readonly string[],
  program: Program,
  makeOutput: (global: Global) => Output,
): Promise<number> {
  const global = readGlobal(args, program.env);
  const output = makeOutput(global);
  try {
    return await runLine(args, program, output, global);
  } catch (error) {
    const { sink, palette } = output.stderr;
    sink.write(
      output.json
        ? `${JSON.stringify({ error: toErrorRecord(error) })}\n`
        : `${showError(error, palette, output.says("debug"))}\n`,
    );
    return exitStatus(error);
  } finally {
    await output.flush();
  }
}

async function runLine(
  args: readonly string[],
  program: Program,
  output: Output,
  global: Global,
): Promise<number> {
  const { name, args: rest } = splitLine(args);
  const { palette } = output.stdout;
  const layout = { columns: output.columns(), palette };
  if (name === undefined) {
    if (!global.version) output.result(formatProgramHelp(program.commands, layout));
    else if (output.json) output.data({ mp: program.version });
    else output.result(`mp ${program.version}`);
    return 0;
  }
  const command: Command = await findCommand(name, program.commands).load();
  if (global.help) {
    output.result(formatCommandHelp(command, layout));
    return 0;
  }
  const parsed = parseLine(command, rest, program.env);
  const status = await command.run({
    ...parsed,
    global,
    output,
    program,
    signal: output.stdout.sink.closed,
  });
  return status ?? 0;
}
