/**
 * From the words of a command line to what a command gets.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { type Arguments, shownArgument } from "./argument.ts";
import type { Command, CommandEntry } from "./command.ts";
import { type Global, globalOptions } from "./global_options.ts";
import { didYouMean } from "./near_name.ts";
import { longName, type Option, type Options, usage, type Values } from "./option.ts";
import { expandOptions, optionNames } from "./expand_options.ts";

/** A command line, split where its command stands. */
export interface SplitLine {
  /** The command's name; absent when there is none. */
  readonly name: string | undefined;
  /** Everything else, the global options before the command included. */
  readonly args: readonly string[];
}

/** What a command line says. */
export interface ParsedLine<A extends Arguments = Arguments, O extends Options = Options> {
  readonly arguments: Values<A>;
  readonly options: Values<O>;
  readonly rest: readonly string[];
}

type Env = (name: string) => string | undefined;

/** Finds the command of a command line. @throws {MpError} `usage` for an option before it that is no global one. */
export function splitLine(args: readonly string[]): SplitLine {
  const expanded = expandOptions(args, globalOptions);
  const { positionals, rest } = scan(expanded, globalOptions, {
    stopEarly: true,
    next: "Only global options may stand before the command; see mp help",
  });
  const [name, ...tail] = positionals;
  const dashes = expanded.indexOf("--");
  const end = dashes < 0 ? expanded.length : dashes;
  const head = expanded.slice(0, end - positionals.length);
  return { name, args: [...head, ...tail, ...(rest ? ["--", ...rest] : [])] };
}

/** Finds a command by its name. @throws {MpError} `usage`, with the near name. */
export function findCommand(name: string, commands: readonly CommandEntry[]): CommandEntry {
  const found = commands.find((entry) => entry.name === name);
  if (found) return found;
  const fallback = /[./\\]/.test(name) ? `To run a script: mp run ${name}` : "See mp help";
  throw usage(`Cannot run command "${name}": there is none of that name`, {
    next: didYouMean(name, commands.map((entry) => entry.name), fallback, (near) => `mp ${near}`),
  });
}

/**
 * Reads the global options alone, whatever else is wrong, so that errors can be printed as asked.
 */
export function readGlobal(args: readonly string[], env: Env): Global {
  try {
    const { given } = scan(expandOptions(args, globalOptions), globalOptions, {});
    return readOptions(globalOptions, given, env, true) as Global;
  } catch {
    return readOptions(globalOptions, new Map(), env, true) as Global;
  }
}

/**
 * Reads what follows a command's name.
 *
 * @throws {MpError} `usage` for an unknown option, a bad value, an argument too few or too many.
 */
export function parseLine<A extends Arguments, O extends Options>(
  command: Command<A, O>,
  args: readonly string[],
  env: Env,
): ParsedLine<A, O> {
  const all: Options = { ...globalOptions, ...command.options };
  const { given, positionals, rest } = scan(expandOptions(args, all), all, {
    next: `See mp help ${command.name}`,
  });
  readOptions(globalOptions, given, env, false);
  const options = readOptions(command.options, given, env, false) as Values<O>;
  const words = command.rest === undefined ? [...positionals, ...(rest ?? [])] : positionals;
  return {
    options,
    arguments: readArguments(command, words),
    rest: command.rest === undefined ? [] : rest ?? [],
  };
}

interface Scanned {
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  readonly rest: readonly string[] | undefined;
}

/** Tells options from arguments. Unknown options are passed over unless there is something to say `next`. */
function scan(
  args: readonly string[],
  options: Options,
  { stopEarly = false, next }: { stopEarly?: boolean; next?: string },
): Scanned {
  const names = optionNames(options);
  const unknown: string[] = [];
  const taking = (value: boolean) =>
    [...names].filter(([, key]) => (options[key]!.value !== undefined) === value)
      .map(([name]) => name);
  const parsed = parseArgs([...args], {
    string: ["_", ...taking(true)],
    collect: taking(true),
    boolean: taking(false),
    stopEarly,
    "--": true,
    unknown: (arg: string, key?: string) => {
      if (key !== undefined) unknown.push(arg);
      return key === undefined;
    },
  }) as { _: string[]; "--": string[]; [name: string]: unknown };
  if (next !== undefined && unknown[0] !== undefined) throw unknownOption(unknown[0], names, next);
  const given = new Map<string, string[]>();
  for (const [name, key] of names) {
    const value = parsed[name];
    const texts = Array.isArray(value) ? value.map(String) : value === true ? ["true"] : [];
    if (texts.length > 0) given.set(key, [...(given.get(key) ?? []), ...texts]);
  }
  return { given, positionals: parsed._, rest: args.includes("--") ? parsed["--"] : undefined };
}

function unknownOption(arg: string, names: ReadonlyMap<string, string>, next: string) {
  const written = arg.split("=", 1)[0]!;
  if (/^-\d/.test(written)) {
    return usage(`Cannot read option "${written}": there is none of that name`, {
      next: `An argument that begins with - stands after --: mp … -- ${written}`,
    });
  }
  const long = [...names.keys()].filter((name) => name.length > 1);
  return usage(`Cannot read option "${written}": there is none of that name`, {
    next: didYouMean(written.replace(/^-+/, ""), long, next, (near) => `--${near}`),
  });
}

function readOptions(
  options: Options,
  given: ReadonlyMap<string, readonly string[]>,
  env: Env,
  tolerant: boolean,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) {
    values[key] = readOption(key, option, given.get(key), env, tolerant);
  }
  return values;
}

function readOption(
  key: string,
  option: Option<unknown>,
  given: readonly string[] | undefined,
  env: Env,
  tolerant: boolean,
): unknown {
  try {
    if (given !== undefined) return option.read(given, `--${longName(key)}`);
    const fromEnv = option.env === undefined ? undefined : env(option.env);
    return option.read(fromEnv === undefined ? [] : [fromEnv], option.env ?? "");
  } catch (error) {
    if (tolerant) return option.read([], "");
    throw error;
  }
}

function readArguments<A extends Arguments>(
  command: Command<A>,
  words: readonly string[],
): Values<A> {
  const values: Record<string, unknown> = {};
  let at = 0;
  for (const [key, argument] of Object.entries(command.arguments)) {
    const taken = argument.repeats ? words.slice(at) : words.slice(at, at + 1);
    if (taken.length === 0 && argument.required) {
      throw usage(`Cannot run mp ${command.name}: ${shownArgument(key, argument)} is missing`, {
        next: `Usage: ${usageLine(command)}`,
      });
    }
    values[key] = argument.read(taken);
    at += taken.length;
  }
  if (at < words.length) {
    throw usage(`Cannot run mp ${command.name}: argument "${words[at]}" is one too many`, {
      next: `Usage: ${usageLine(command)}`,
    });
  }
  return values as Values<A>;
}

/** `mp run [OPTIONS] SCRIPT`. */
export function usageLine(command: Command): string {
  const parts = Object.entries(command.arguments).map(([key, one]) => shownArgument(key, one));
  const options = Object.keys(command.options).length > 0 ? ["[OPTIONS]"] : [];
  const rest = command.rest === undefined ? [] : ["[-- ARGS…]"];
  return ["mp", command.name, ...options, ...parts, ...rest].join(" ");
}
