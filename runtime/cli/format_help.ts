/**
 * Help as text, made from the declarations of commands.
 *
 * @module
 */

import { shownArgument } from "./argument.ts";
import type { Command, CommandEntry } from "./command.ts";
import { globalOptions } from "./global_options.ts";
import { longName, type Option, type Options } from "./option.ts";
import type { Palette } from "./palette.ts";
import { usageLine } from "./parse.ts";

/** How help is laid out. */
export interface HelpLayout {
  readonly columns: number;
  readonly palette: Palette;
}

/** The help of the whole program. */
export function formatProgramHelp(commands: readonly CommandEntry[], layout: HelpLayout): string {
  const { bold } = layout.palette;
  return [
    `${bold("mp")}: the architecture of a distributed system and its implementation in one script`,
    `${bold("Usage:")} mp COMMAND [OPTIONS] [ARGUMENTS]`,
    section(
      "Commands",
      commands.filter(({ hidden }) => !hidden).map(({ name, summary }) => [name, summary]),
      layout,
    ),
    section("Options of every command", optionRows(globalOptions), layout),
    "More on a command: mp help COMMAND",
  ].join("\n\n");
}

/** The help of one command. */
export function formatCommandHelp(command: Command, layout: HelpLayout): string {
  const { bold, dim } = layout.palette;
  const argumentRows = Object.entries(command.arguments).map((
    [key, argument],
  ): Row => [shownArgument(key, argument), argument.description]);
  if (command.rest !== undefined) argumentRows.push(["-- ARGS…", command.rest]);
  const examples = command.examples.map(({ line, does }) => `  ${dim(`# ${does}`)}\n  ${line}`);
  return [
    `${bold(`mp ${command.name}`)}: ${command.summary}`,
    `${bold("Usage:")} ${usageLine(command)}`,
    ...command.description.map((paragraph) => wrap(paragraph, layout.columns).join("\n")),
    section("Arguments", argumentRows, layout),
    section("Options", optionRows(command.options), layout),
    section("Options of every command", optionRows(globalOptions), layout),
    examples.length > 0 ? `${bold("Examples:")}\n${examples.join("\n")}` : "",
  ].filter((part) => part !== "").join("\n\n");
}

type Row = readonly [term: string, description: string];

function optionRows(options: Options): Row[] {
  return Object.entries(options).map(([key, option]) => [term(key, option), describe(option)]);
}

function term(key: string, option: Option<unknown>): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.value === undefined ? "" : ` ${option.value}`;
  return `${short}--${longName(key)}${value}`;
}

function describe({ description, repeats, env, initial, aliases }: Option<unknown>): string {
  const notes = [
    ...(repeats ? ["may be repeated"] : []),
    ...(aliases ?? []).map((alias) => `also --${alias}`),
    ...(env === undefined ? [] : [`also ${env}`]),
    ...(initial === undefined ? [] : [`default: ${initial}`]),
  ];
  return notes.length > 0 ? `${description} (${notes.join("; ")})` : description;
}

function section(title: string, rows: readonly Row[], { columns, palette }: HelpLayout): string {
  if (rows.length === 0) return "";
  const widest = Math.min(Math.max(...rows.map(([term]) => term.length)), 28);
  const margin = " ".repeat(widest + 4);
  const lines = rows.flatMap(([term, description]) => {
    const [first = "", ...more] = wrap(description, Math.max(columns - margin.length, 24));
    const head = term.length > widest
      ? [`  ${palette.cyan(term)}`, `${margin}${first}`]
      : [`  ${palette.cyan(term)}${" ".repeat(widest - term.length + 2)}${first}`];
    return [...head, ...more.map((line) => `${margin}${line}`)];
  });
  return [palette.bold(`${title}:`), ...lines].join("\n");
}

/** Breaks text into lines of at most `width` characters, between words. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
