/**
 * What may follow on a command line, for a shell to offer.
 *
 * @module
 */

import type { Command, CommandEntry, Program } from "./command.ts";
import { expandOptions, optionNames } from "./expand_options.ts";
import { globalOptions } from "./global_options.ts";
import { longName, type Options } from "./option.ts";
import { splitLine } from "./parse.ts";

/** What a shell offers in one place: words, or things of a kind. */
export type Candidates =
  | readonly string[]
  | "file"
  | "command"
  | "driver"
  | "app"
  | "service"
  | "path"
  | "app or path"
  | "count";

/** What a shell is to offer. */
export interface Offer {
  readonly words: readonly OfferedWord[];
  /** Whether files and folders are offered too. */
  readonly files: boolean;
}

/** A word, and what it means. */
export interface OfferedWord {
  readonly word: string;
  readonly meaning: string;
}

/** Gives the words of the kinds that depend on what is deployed. */
export type DeployedWords = (kind: "app" | "service" | "path") => Promise<readonly OfferedWord[]>;

const NOTHING: Offer = { words: [], files: false };
const FILES: Offer = { words: [], files: true };

/**
 * What may stand in place of the last word.
 *
 * @param words The words after `mp`, the last of which is being written and may be empty.
 */
export async function offer(
  words: readonly string[],
  program: Program,
  deployed: DeployedWords,
): Promise<Offer> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const name = commandOf(before);
  if (name === undefined) {
    return matching(
      current,
      current.startsWith("-") ? optionsOffered(globalOptions, []) : named(program.commands),
    );
  }
  const entry = program.commands.find((one) => one.name === name);
  if (!entry) return NOTHING;
  const command = await entry.load();
  const kinds = (kind: Candidates | undefined) => ofKind(kind, program, deployed);

  const options: Options = { ...globalOptions, ...command.options };
  if (!before.includes("--")) {
    const valueOf = optionAwaiting(before.at(-1), options);
    if (valueOf !== undefined) {
      return startingWith(current, "", await kinds(options[valueOf]!.candidates));
    }
    const equals = /^(--[^=]+=)(.*)$/s.exec(current);
    if (equals) {
      const key = optionAwaiting(equals[1]!.slice(0, -1), options);
      return key === undefined
        ? NOTHING
        : startingWith(equals[2]!, equals[1]!, await kinds(options[key]!.candidates));
    }
    if (current.startsWith("-")) return matching(current, optionsOffered(options, before));
  } else if (command.rest !== undefined) {
    return FILES;
  }
  return startingWith(current, "", await kinds(argumentAt(command, before, options)));
}

function commandOf(before: readonly string[]): string | undefined {
  try {
    return splitLine(before).name;
  } catch {
    return undefined;
  }
}

/** The key of the option whose value comes next after `word`. */
function optionAwaiting(word: string | undefined, options: Options): string | undefined {
  const match = /^(?:--([^=]+)|-[A-Za-z]*([A-Za-z]))$/.exec(word ?? "");
  if (!match) return undefined;
  const key = optionNames(options).get(match[1] ?? match[2]!);
  return key !== undefined && options[key]!.value !== undefined ? key : undefined;
}

/** What the argument is that comes next. */
function argumentAt(
  command: Command,
  before: readonly string[],
  options: Options,
): Candidates | undefined {
  const all = Object.values(command.arguments);
  const expanded = expandOptions(before, options);
  let count = -1; // the command's own name
  for (let i = 0; i < expanded.length; i++) {
    const word = expanded[i]!;
    if (word === "--") continue;
    if (!word.startsWith("-") || word === "-") count++;
    else if (optionAwaiting(word, options) !== undefined) i++;
  }
  const argument = all[count] ?? (all.at(-1)?.repeats ? all.at(-1) : undefined);
  return argument?.candidates;
}

function optionsOffered(options: Options, before: readonly string[]): OfferedWord[] {
  return Object.entries(options)
    .filter(([key, option]) => option.repeats || !before.includes(`--${longName(key)}`))
    .map(([key, { description }]) => ({ word: `--${longName(key)}`, meaning: description }));
}

function named(commands: readonly CommandEntry[]): OfferedWord[] {
  return commands.filter(({ hidden }) => !hidden)
    .map(({ name, summary }) => ({ word: name, meaning: summary }));
}

async function ofKind(
  kind: Candidates | undefined,
  program: Program,
  deployed: DeployedWords,
): Promise<Offer> {
  const only = (words: readonly OfferedWord[]): Offer => ({ words, files: false });
  switch (kind) {
    case undefined:
      return NOTHING;
    case "file":
      return FILES;
    case "command":
      return only(named(program.commands));
    case "driver":
      return only(Object.keys(program.drivers).map((word) => ({ word, meaning: "" })));
    case "app":
    case "service":
    case "path":
      return only(await deployed(kind));
    case "app or path":
      return only([...await deployed("app"), ...await deployed("path")]);
    case "count":
      return only((await deployed("path")).map((one) => ({ ...one, word: `${one.word}=` })));
    default:
      return only(kind.map((word) => ({ word, meaning: "" })));
  }
}

function matching(current: string, words: readonly OfferedWord[]): Offer {
  return startingWith(current, "", { words, files: false });
}

function startingWith(current: string, prefix: string, { words, files }: Offer): Offer {
  const fitting = words.filter(({ word }) => word.startsWith(current));
  return { files, words: fitting.map((one) => ({ ...one, word: `${prefix}${one.word}` })) };
}
