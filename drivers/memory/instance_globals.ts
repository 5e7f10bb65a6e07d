/**
 * The globals of one replica that lives in this process with others: an environment, a console, timers
 * and a `globalThis` of its own.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import { nodeBuiltin } from "../../runtime/script/instance.ts";

/** Globals that take the place of those that a replica would have. */
export type RefineGlobals = (own: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** What surrounds one replica. */
export interface InstanceGlobalsOptions {
  /** The replica's own environment variables. */
  readonly env: Record<string, string>;
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
  /** The script asks for the end of its process. */
  readonly onExit: (code: number) => void;
  /** An error that nothing in the script has caught. */
  readonly onUncaught: (error: unknown) => void;
  /** What takes the place of these globals, given them, and of others. */
  readonly refine?: RefineGlobals;
}

/** The globals of one replica, until it ends. */
export interface InstanceGlobals {
  readonly globals: object;
  /** Node's built-in modules, with the replica's own in place of those that are its globals. */
  readonly builtin: (name: string) => unknown;
  /** Ends all timers. */
  end(): void;
}

type Callback = (...args: unknown[]) => void;

/** Makes the globals of one replica. */
export function instanceGlobals(options: InstanceGlobalsOptions): InstanceGlobals {
  const { onUncaught } = options;
  const timers = ownTimers(globalThis as unknown as Timers, onUncaught);
  const own: Record<string, unknown> = {
    ...timers.functions,
    console: ownConsole(options.onOutput),
    process: ownProcess(options),
    Deno: ownDeno(options),
    queueMicrotask: (run: () => void) =>
      queueMicrotask(() => {
        try {
          run();
        } catch (error) {
          onUncaught(error);
        }
      }),
  };
  Object.assign(own, options.refine?.(own));
  const globals: object = new Proxy(own, {
    get: (_target, name) =>
      Object.hasOwn(own, name) ? own[name as string] : Reflect.get(globalThis, name),
    has: (_target, name) => Object.hasOwn(own, name) || name in globalThis,
  });
  own.globalThis = own.self = own.global = globals;
  const modules: Record<string, unknown> = {
    console: own.console,
    process: own.process,
    timers: timers.functions,
  };
  return {
    globals,
    builtin: (name) => Object.hasOwn(modules, name) ? modules[name] : nodeBuiltin(name),
    end: timers.end,
  };
}

interface Timers {
  setTimeout(run: Callback, milliseconds?: number): unknown;
  setInterval(run: Callback, milliseconds?: number): unknown;
  setImmediate(run: Callback): unknown;
  clearTimeout(timer: unknown): void;
  clearInterval(timer: unknown): void;
  clearImmediate(timer: unknown): void;
}

/** Timers that end with their replica, and whose errors are its own. */
function ownTimers(given: Timers, onUncaught: (error: unknown) => void) {
  const open = new Map<unknown, () => void>();
  const guarded = (run: unknown, args: unknown[], done: () => void) => () => {
    done();
    try {
      if (typeof run !== "function") throw new TypeError("A timer runs a function");
      run(...args);
    } catch (error) {
      onUncaught(error);
    }
  };
  const once = (
    set: (run: () => void, milliseconds?: number) => unknown,
    clear: (timer: unknown) => void,
  ) =>
  (run: unknown, milliseconds: number | undefined, args: unknown[]) => {
    const timer = set(guarded(run, args, () => open.delete(timer)), milliseconds);
    open.set(timer, () => clear(timer));
    return timer;
  };
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } =
    given;
  const later = once(setTimeout, clearTimeout);
  const soon = once(setImmediate, clearImmediate);
  const clear = (timer: unknown) => {
    open.get(timer)?.();
    open.delete(timer);
  };
  return {
    functions: {
      setTimeout: (run: unknown, milliseconds?: number, ...args: unknown[]) =>
        later(run, milliseconds, args),
      setImmediate: (run: unknown, ...args: unknown[]) => soon(run, undefined, args),
      setInterval(run: unknown, milliseconds?: number, ...args: unknown[]) {
        const timer = setInterval(guarded(run, args, () => {}), milliseconds);
        open.set(timer, () => clearInterval(timer));
        return timer;
      },
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    end() {
      for (const close of open.values()) close();
      open.clear();
    },
  };
}

function ownConsole(onOutput: InstanceGlobalsOptions["onOutput"]): Console {
  const { Console } = process.getBuiltinModule("console");
  const stream = (name: "stdout" | "stderr") => ({
    write(text: string) {
      onOutput(name, text);
      return true;
    },
    on() {},
    once() {},
    removeListener() {},
    listenerCount: () => 0,
  });
  return new Console({
    stdout: stream("stdout") as unknown as NodeJS.WritableStream,
    stderr: stream("stderr") as unknown as NodeJS.WritableStream,
    colorMode: false,
  }) as unknown as Console;
}

/** The process as Node shows it, with its own environment and end. */
function ownProcess({ env, onExit, onOutput }: InstanceGlobalsOptions): unknown {
  const write = (stream: "stdout" | "stderr") => ({
    write(text: unknown) {
      onOutput(stream, String(text));
      return true;
    },
  });
  return Object.create(process, {
    env: { value: env },
    exit: { value: exitOf(onExit) },
    stdout: { value: write("stdout") },
    stderr: { value: write("stderr") },
  });
}

/** `Deno` with its own environment and end. */
function ownDeno({ env, onExit }: InstanceGlobalsOptions): unknown {
  const variables: Deno.Env = {
    get: (name) => Object.hasOwn(env, name) ? env[name] : undefined,
    set: (name, value) => void (env[name] = String(value)),
    has: (name) => Object.hasOwn(env, name),
    delete: (name) => void delete env[name],
    toObject: () => ({ ...env }),
  };
  return Object.create(Deno, {
    env: { value: variables },
    exit: { value: exitOf(onExit) },
  });
}

/** A function that does not return, as whoever calls it relies on. */
function exitOf(onExit: (code: number) => void): (code?: number) => never {
  return (code = 0) => {
    onExit(code);
    throw new MpError("interrupted", "The replica has ended");
  };
}
