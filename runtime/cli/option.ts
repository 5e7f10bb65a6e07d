/**
 * Options as data.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Candidates } from "./candidates.ts";
import { readDuration } from "./duration.ts";

/** One option. Its long name is its key in {@linkcode Options}, with `-` before what is upper case there. */
export interface Option<T> {
  /** One letter. */
  readonly short?: string;
  /** Other long names. */
  readonly aliases?: readonly string[];
  /** What stands for the value in the help, `PATH=N`; absent when the option takes none. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly repeats: boolean;
  readonly description: string;
  /** The environment variable that stands in for it. */
  readonly env?: string;
  /** What the help says is the default. */
  readonly initial?: string;
  /** The value that `--no-NAME` stands for, of an option that takes one. */
  readonly negated?: string;
  /** What a shell offers as its value. */
  readonly candidates?: Candidates;
  /**
   * Reads what was given.
   *
   * @param given The texts of all its occurrences; empty when it was not given. A flag's are `true` and `false`.
   * @param name How the user wrote it, `--port` or `MP_PORT`.
   * @throws {MpError} `usage`.
   */
  read(given: readonly string[], name: string): T;
}

/** The options of a command, by name. */
// deno-lint-ignore no-explicit-any -- options of every type stand side by side
export type Options = Readonly<Record<string, Option<any>>>;

/** What a record of options or arguments gives when it has been read. */
export type Values<O> = {
  readonly [K in keyof O]: O[K] extends { read(...given: never[]): infer T } ? T : never;
};

interface OptionWords {
  readonly short?: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly env?: string;
}

interface ValueWords extends OptionWords {
  readonly value: string;
  readonly negated?: string;
  readonly candidates?: Candidates;
}

/** `--watch`: given or not. */
export function flag(words: OptionWords): Option<boolean> {
  return { ...words, repeats: false, read: (given) => given.at(-1) === "true" };
}

/** `--name NAME`: any text but the empty one. */
export function text(words: ValueWords): Option<string | undefined> {
  return { ...words, repeats: false, read: (given, name) => last(given, name) };
}

/** `--env-file FILE`: any number of texts. */
export function texts(words: ValueWords): Option<readonly string[]> {
  return {
    ...words,
    repeats: true,
    read: (given, name) => given.map((one) => last([one], name)!),
  };
}

/** `--color WHEN`: one of several words. */
export function choice<const C extends string>(
  words: Omit<ValueWords, "candidates"> & { readonly choices: readonly C[]; readonly initial: C },
): Option<C> {
  const { choices, initial } = words;
  return {
    ...words,
    repeats: false,
    candidates: choices,
    read(given, name) {
      const word = last(given, name);
      if (word === undefined) return initial;
      const found = choices.find((one) => one === word);
      if (found !== undefined) return found;
      throw usage(`Cannot read ${name} ${JSON.stringify(word)}: it is none of its values`, {
        next: `Give one of ${choices.join(", ")}`,
      });
    },
  };
}

/** `--port PORT`: a whole number. */
export function wholeNumber(
  words: ValueWords & { readonly least: number; readonly most: number },
): Option<number | undefined> {
  const { least, most } = words;
  return {
    ...words,
    repeats: false,
    read(given, name) {
      const digits = last(given, name);
      if (digits === undefined) return undefined;
      const number = /^\d{1,15}$/.test(digits) ? Number(digits) : NaN;
      if (number >= least && number <= most) return number;
      throw usage(
        `Cannot read ${name} ${
          JSON.stringify(digits)
        }: it is not a whole number from ${least} to ${most}`,
      );
    },
  };
}

/** `--timeout 30s`: a duration in milliseconds. */
export function duration(
  words: ValueWords & { readonly initial: string },
): Option<number> {
  return {
    ...words,
    repeats: false,
    read(given, name) {
      const written = last(given, name) ?? words.initial;
      const milliseconds = readDuration(written);
      if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
      throw usage(`Cannot read ${name} ${JSON.stringify(written)}: it is not a duration`, {
        next: "Give a number with a unit, such as 500ms, 30s, 5m or 2h",
      });
    },
  };
}

/** `--env KEY=VALUE`, any number of times. */
export function pairs<V>(
  words: ValueWords & { readonly readValue: (text: string, name: string) => V },
): Option<ReadonlyMap<string, V>> {
  return {
    ...words,
    repeats: true,
    read(given, name) {
      const map = new Map<string, V>();
      for (const pair of given) {
        const at = pair.indexOf("=");
        if (at < 1) {
          throw usage(`Cannot read ${name} ${JSON.stringify(pair)}: it is not ${words.value}`);
        }
        const key = pair.slice(0, at);
        map.set(key, words.readValue(pair.slice(at + 1), `${name} ${key}=`));
      }
      return map;
    },
  };
}

/** The long name of an option: `envFile` is `env-file`. */
export function longName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** An error of wrong usage: exit status 2. */
export function usage(message: string, more: { where?: string; next?: string } = {}): MpError {
  return new MpError("usage", message, more);
}

function last(given: readonly string[], name: string): string | undefined {
  const value = given.at(-1);
  if (value === "") throw usage(`Cannot read ${name}: it needs a value`);
  return value;
}
