/**
 * What a test file sees of its process: all of it, but for `Deno.test`, the end of the process, and timers,
 * which are watched.
 *
 * @module
 */

/** The globals of one file, and what is known of it by them. */
export interface TestGlobals {
  readonly globals: object;
  /** The timers that wait now. */
  readonly timers: ReadonlySet<unknown>;
}

/** The error of a test that ends the process. */
export class ExitInTest extends Error {
  constructor(code: number) {
    super(`Test case attempted to exit with exit code: ${code}`);
  }
}

/** Makes the globals of one file. @param test What takes the place of `Deno.test`. */
export function testGlobals(test: unknown): TestGlobals {
  const exit = (code = 0): never => {
    throw new ExitInTest(code);
  };
  const timers = new Set<unknown>();
  const own: Record<string, unknown> = {
    ...watchedTimers(timers),
    Deno: Object.create(Deno, { test: { value: test }, exit: { value: exit } }),
    process: Object.create(process, { exit: { value: exit } }),
    // a simulation replaces it for a while
    Date: new Proxy(Date, {
      construct: (target, args, newTarget) =>
        newTarget === own.Date
          ? Reflect.construct(globalThis.Date, args)
          : Reflect.construct(target, args, newTarget),
      apply: () => globalThis.Date(),
      get: (_target, name) => Reflect.get(globalThis.Date, name),
    }),
  };
  const globals: object = new Proxy(own, {
    get: (_target, name) =>
      Object.hasOwn(own, name) ? own[name as string] : Reflect.get(globalThis, name),
    set: (_target, name, value) => Reflect.set(globalThis, name, value),
    has: (_target, name) => Object.hasOwn(own, name) || name in globalThis,
  });
  own.globalThis = own.self = own.global = globals;
  return { globals, timers };
}

type Callback = (...args: unknown[]) => void;

/** Timers as those of the process are at the time, noted while they wait. */
function watchedTimers(timers: Set<unknown>): Record<string, unknown> {
  const clear = (name: "clearTimeout" | "clearInterval") => (timer: unknown) => {
    timers.delete(timer);
    globalThis[name](timer as number);
  };
  return {
    setTimeout(run: Callback, milliseconds?: number, ...args: unknown[]) {
      const timer: unknown = globalThis.setTimeout(() => {
        timers.delete(timer);
        run(...args);
      }, milliseconds);
      timers.add(timer);
      return timer;
    },
    setInterval(run: Callback, milliseconds?: number, ...args: unknown[]) {
      const timer: unknown = globalThis.setInterval(run, milliseconds, ...args);
      timers.add(timer);
      return timer;
    },
    clearTimeout: clear("clearTimeout"),
    clearInterval: clear("clearInterval"),
  };
}
