/**
 * Options in their long form: what is ambiguous to a parser that knows names only is settled first.
 *
 * @module
 */

import { longName, type Options, usage } from "./option.ts";

/** Every name of every option, short ones and aliases too, with the key of the option. */
export function optionNames(options: Options): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [key, option] of Object.entries(options)) {
    for (const name of [longName(key), option.short, ...(option.aliases ?? [])]) {
      if (name !== undefined) names.set(name, key);
    }
  }
  return names;
}

/**
 * Writes options out: `-dn20` as `--detach=true --lines=20`, `--json` as `--json=true`, so that an
 * argument that follows is never taken for a value, and `--no-watch` as `--watch=false`.
 *
 * What is not known is left as it is, and so is everything from `--` on.
 *
 * @throws {MpError} `usage` when a flag is given a value.
 */
export function expandOptions(args: readonly string[], options: Options): string[] {
  const names = optionNames(options);
  const dashes = args.indexOf("--");
  const end = dashes < 0 ? args.length : dashes;
  const expanded = args.slice(0, end).flatMap((arg) => expand(arg, options, names));
  return [...expanded, ...args.slice(end)];
}

function expand(arg: string, options: Options, names: ReadonlyMap<string, string>): string[] {
  if (arg.startsWith("--")) return [expandLong(arg, options, names)];
  if (/^-[A-Za-z]/.test(arg)) return expandShort(arg, options, names);
  return [arg];
}

function expandLong(arg: string, options: Options, names: ReadonlyMap<string, string>): string {
  const [name = "", ...value] = arg.slice(2).split("=");
  const key = names.get(name);
  if (value.length > 0) {
    const isFlag = key !== undefined && options[key]!.value === undefined;
    if (!isFlag || /^(true|false)$/.test(value[0]!)) return arg;
    throw usage(`Cannot read --${name} "${value.join("=")}": the option takes no value`);
  }
  if (key !== undefined) return options[key]!.value === undefined ? `${arg}=true` : arg;
  const positive = name.startsWith("no-") ? names.get(name.slice(3)) : undefined;
  const negated = positive === undefined ? undefined : negation(options, positive);
  return negated === undefined ? arg : `--${longName(positive!)}=${negated}`;
}

function negation(options: Options, key: string): string | undefined {
  const option = options[key]!;
  return option.value === undefined ? "false" : option.negated;
}

function expandShort(arg: string, options: Options, names: ReadonlyMap<string, string>): string[] {
  const expanded: string[] = [];
  for (let i = 1; i < arg.length; i++) {
    const key = names.get(arg[i]!);
    if (key === undefined) return [arg];
    const long = `--${longName(key)}`;
    if (options[key]!.value === undefined) {
      expanded.push(`${long}=true`);
      continue;
    }
    const value = arg.slice(i + 1).replace(/^=/, "");
    expanded.push(value === "" ? long : `${long}=${value}`);
    break;
  }
  return expanded;
}
