/**
 * `Deno.test` of our own: notes the tests and hooks of one file.
 *
 * In a compiled executable Deno's own notes nothing, and the program would end as if all were well.
 *
 * @module
 */

import { positionOf } from "../script/stack.ts";
import { readDefinition, type TestDefinition } from "./test_definition.ts";

/** A function that runs before or after tests. */
export type Hook = () => void | Promise<void>;

/** When hooks run. */
export type HookName = "beforeAll" | "beforeEach" | "afterEach" | "afterAll";

/** What a file has defined. */
export interface TestRegister {
  readonly tests: readonly TestDefinition[];
  readonly hooks: Readonly<Record<HookName, readonly Hook[]>>;
  /** What takes the place of `Deno.test` in the file. */
  readonly test: unknown;
}

/** Makes the register of one file. */
export function testRegister(): TestRegister {
  const tests: TestDefinition[] = [];
  const hooks: Record<HookName, Hook[]> = {
    beforeAll: [],
    beforeEach: [],
    afterEach: [],
    afterAll: [],
  };
  const define = (args: readonly unknown[], more: Partial<TestDefinition> = {}) => {
    // where it is called, in the file
    const position = positionOf(new Error());
    tests.push({ ...readDefinition("test", args, position), ...more });
  };
  const hook = (name: HookName) => (fn: unknown) => {
    if (typeof fn !== "function") {
      throw new TypeError(`Cannot run ${name}: it is ${typeof fn}, not a function`);
    }
    hooks[name].push(fn as Hook);
  };
  const test = Object.assign((...args: unknown[]) => define(args), {
    only: (...args: unknown[]) => define(args, { only: true }),
    ignore: (...args: unknown[]) => define(args, { ignore: true }),
    skip: (...args: unknown[]) => define(args, { ignore: true }),
    beforeAll: hook("beforeAll"),
    beforeEach: hook("beforeEach"),
    afterEach: hook("afterEach"),
    afterAll: hook("afterAll"),
  });
  return { tests, hooks, test };
}
