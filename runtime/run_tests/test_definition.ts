/**
 * A test as a file defines it, in one of the ways that `Deno.test()` allows. Pure.
 *
 * @module
 */

import type { Position } from "../script/stack.ts";

/** What a test's function gets. */
export interface TestContext {
  readonly name: string;
  /** The URL of the file. */
  readonly origin: string;
  readonly parent?: TestContext;
  /** Runs a part of the test; whether it passed. */
  step(first: unknown, fn?: unknown): Promise<boolean>;
}

/** The function of a test or of one of its steps. */
export type TestFunction = (context: TestContext) => void | Promise<void>;

/** A test, or a step of one. */
export interface TestDefinition {
  readonly name: string;
  readonly fn: TestFunction;
  readonly ignore: boolean;
  readonly only: boolean;
  /** Whether timers that it leaves are an error; `undefined` for what the configuration says. */
  readonly sanitizeOps: boolean | undefined;
  readonly sanitizeExit: boolean;
  /** Where it is defined. */
  readonly position: Position | undefined;
}

interface Words {
  readonly name?: unknown;
  readonly fn?: unknown;
  readonly ignore?: unknown;
  readonly only?: unknown;
  readonly sanitizeOps?: unknown;
  readonly sanitizeExit?: unknown;
}

/**
 * Reads the arguments of `Deno.test()` or `t.step()`.
 *
 * @param what `test` or `step`, for messages.
 * @throws {TypeError} For arguments that define none.
 */
export function readDefinition(
  what: string,
  args: readonly unknown[],
  position: Position | undefined,
): TestDefinition {
  const words: Words = {};
  for (const arg of args) {
    if (typeof arg === "string") Object.assign(words, { name: arg });
    else if (typeof arg === "function") Object.assign(words, { fn: arg });
    else if (typeof arg === "object" && arg !== null) {
      const { name, fn, ...rest } = arg as Words;
      Object.assign(words, rest, name !== undefined && { name }, fn !== undefined && { fn });
    } else if (arg !== undefined) {
      throw new TypeError(`Cannot define a ${what}: ${typeof arg} is no name, function or options`);
    }
  }
  const { fn } = words;
  if (typeof fn !== "function") throw new TypeError(`Cannot define a ${what}: it has no function`);
  const name = words.name ?? fn.name;
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Cannot define a ${what}: it has no name`);
  }
  return {
    name,
    fn: fn as TestFunction,
    ignore: Boolean(words.ignore),
    only: Boolean(words.only),
    sanitizeOps: words.sanitizeOps === undefined ? undefined : Boolean(words.sanitizeOps),
    sanitizeExit: words.sanitizeExit === undefined ? true : Boolean(words.sanitizeExit),
    position,
  };
}
