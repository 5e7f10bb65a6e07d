/**
 * What a replica sees of its process in a simulation: what is the same each time, and nothing else.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import { nodeBuiltin } from "../../runtime/script/instance.ts";
import { seededCrypto } from "./install_globals.ts";
import type { SeededRandom } from "./seeded_random.ts";
import { BEGINNING } from "./virtual_time.ts";

/** Globals that reach outside of the simulation. */
const REFUSED = [
  ...["fetch", "WebSocket", "EventSource", "Worker", "BroadcastChannel", "MessageChannel"],
  ...["caches", "alert", "confirm", "prompt", "navigator", "Temporal"],
];

/** What is left of `Deno`: what does not reach outside. */
const DENO = ["inspect", "build", "version", "errors", "noColor", "args", "mainModule", "test"];

/** What is left of the process, as Node shows it. */
const PROCESS = ["argv", "nextTick", "platform", "arch", "version", "versions", "exitCode"];

/** Node's built-in modules that do not reach outside. */
const MODULES = new Set([
  ...["assert", "assert/strict", "async_hooks", "buffer", "events", "path", "path/posix"],
  ...["path/win32", "punycode", "querystring", "stream", "string_decoder", "url", "util"],
  "util/types",
]);

/** What of `node:crypto` computes, and draws nothing. */
const CRYPTO = ["createHash", "createHmac", "getHashes", "timingSafeEqual", "hash"];

/** Makes the globals of one replica. @param random The replica's own. */
export function replicaGlobals(random: SeededRandom): Record<string, unknown> {
  const { randomUUID, getRandomValues } = seededCrypto(random);
  const globals: Record<string, unknown> = {
    Math: withMembers(Math, { random: { value: () => random() } }),
    performance: { now: () => performance.now(), timeOrigin: BEGINNING },
    crypto: refusing("crypto", { randomUUID, getRandomValues }),
    // when memory is freed is not the same each time
    WeakRef: StrongRef,
    FinalizationRegistry: IdleRegistry,
  };
  for (const name of REFUSED) globals[name] = refused(name);
  return globals;
}

/** What is left of `Deno`, `process` and Node's built-in modules. */
export function replicaBuiltin(name: string, random: SeededRandom, own: (name: string) => unknown) {
  if (name === "timers" || name === "console" || name === "process") return own(name);
  if (MODULES.has(name)) return nodeBuiltin(name);
  if (name === "perf_hooks") return { performance: { now: () => performance.now() } };
  if (name === "os") return refusing("node:os", { EOL: "\n", hostname: () => "localhost" });
  if (name === "crypto") {
    const { randomUUID, getRandomValues } = seededCrypto(random);
    const module = nodeBuiltin("crypto") as Record<string, unknown>;
    const { Buffer } = nodeBuiltin("buffer") as typeof import("node:buffer");
    return refusing("node:crypto", {
      ...Object.fromEntries(CRYPTO.map((member) => [member, module[member]])),
      randomUUID,
      getRandomValues,
      randomBytes: (size: number) => getRandomValues(Buffer.alloc(size)),
      randomInt: (low: number, high?: number) =>
        high === undefined ? random.below(low) : low + random.below(high - low),
    });
  }
  throw notSimulated(`node:${name}`);
}

/** `Deno` with its own environment and end, and of the rest what does not reach outside. */
export function simulatedDeno(own: object): object {
  const kept = Object.fromEntries(DENO.map((name) => [name, Reflect.get(Deno, name)]));
  return refusing("Deno", { ...kept, ...pick(own, ["env", "exit"]), pid: 1 });
}

/** `process` in the same way. */
export function simulatedProcess(own: object): object {
  const kept = Object.fromEntries(PROCESS.map((name) => [name, Reflect.get(process, name)]));
  return refusing("process", {
    ...kept,
    ...pick(own, ["env", "exit", "stdout", "stderr"]),
    pid: 1,
    cwd: () => "/",
    uptime: () => performance.now() / 1000,
    hrtime: Object.assign(() => [Math.floor(performance.now() / 1000), 0], {
      bigint: () => BigInt(Math.floor(performance.now() * 1e6)),
    }),
    on: () => {},
    once: () => {},
    off: () => {},
    emitWarning: () => {},
  });
}

/** Why a script that imports by computed names cannot be simulated. */
export function checkImports(code: string): void {
  // strings and comments of the script may say anything
  const bare = code.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\/.*$/gm, '""');
  if (/(?<![.\w$])import\s*\(/.test(bare)) throw notSimulated("import() of a computed name");
}

/** The error for what would break a simulation. */
export function notSimulated(what: string): MpError {
  return new MpError(
    "unsupported",
    `Cannot use ${what} in a simulation: what it does is not the same each time`,
    { next: "Leave it out of what is simulated, or test it with start()" },
  );
}

/** An object that has some members, and refuses all others by name. */
function refusing(name: string, members: Record<string, unknown>): object {
  return new Proxy(members, {
    get(target, member) {
      if (typeof member === "symbol" || Object.hasOwn(target, member)) {
        return Reflect.get(target, member);
      }
      if (member === "then" || member === "__esModule" || member === "default") return undefined;
      throw notSimulated(`${name}.${member}`);
    },
  });
}

/** A global that cannot be called, made or looked into. */
function refused(name: string): object {
  const fail = (): never => {
    throw notSimulated(name);
  };
  // what can be called with new is no arrow
  return new Proxy(function () {}, { apply: fail, construct: fail, get: fail });
}

function withMembers(of: object, members: PropertyDescriptorMap): object {
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(of), ...members });
}

function pick(from: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(from, name)]));
}

/** A reference that never loses what it refers to. */
class StrongRef<T> {
  #value: T;
  constructor(value: T) {
    this.#value = value;
  }
  deref(): T {
    return this.#value;
  }
}

/** A registry that is never told that anything was freed. */
class IdleRegistry {
  register(): void {}
  unregister(): boolean {
    return false;
  }
}
