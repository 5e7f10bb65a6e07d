/**
 * The checks of the options that targets and services take.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { encodeKey, scopeKey } from "../storage/key.ts";
import type { AnyTarget, ExposeOptions, PatternTarget, TargetOptions } from "./target.ts";

/** Checks the options that every target takes. @throws {TypeError | RangeError} */
export function checkOptions(what: string, options: TargetOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot make ${what}: its options are ${String(options)}, not an object`);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(OPTIONS, name)) {
      throw new TypeError(
        `Cannot make ${what}: there is no option ${JSON.stringify(name)} beside ${KNOWN}`,
      );
    }
  }
  const { timeout, idempotent, retries, hedge, maxConcurrent, maxQueued, expose } = options;
  if (timeout !== undefined && typeof timeout !== "number") {
    throw new TypeError(`Cannot make ${what}: timeout is ${typeof timeout}, not a number`);
  }
  if (timeout !== undefined && !(timeout > 0 && timeout <= 86_400_000)) {
    throw new RangeError(
      `Cannot make ${what}: timeout ${timeout} is not above 0 and up to 86400000 ms`,
    );
  }
  if (idempotent !== undefined && typeof idempotent !== "boolean") {
    throw new TypeError(`Cannot make ${what}: idempotent is ${typeof idempotent}, not a boolean`);
  }
  checkWhole(what, "retries", retries, 0, 10);
  checkWhole(what, "maxConcurrent", maxConcurrent, 1, 1_000_000);
  checkWhole(what, "maxQueued", maxQueued, 0, 1_000_000);
  checkHedge(what, hedge);
  checkExpose(what, expose);
  checkScopes(what, options.scopes);
  checkEnv(what, options.env);
  checkResources(what, options.resources);
}

/** What has no type in JavaScript, or a misspelt name, would otherwise say nothing at all. */
const OPTIONS: Readonly<Record<keyof TargetOptions, true>> = {
  expose: true,
  replicas: true,
  timeout: true,
  idempotent: true,
  retries: true,
  hedge: true,
  maxConcurrent: true,
  maxQueued: true,
  scopes: true,
  env: true,
  resources: true,
};
const KNOWN = Object.keys(OPTIONS).join(", ");

/** Checks an `env` option: no system takes another name, or a value with a zero byte. @throws {TypeError} */
function checkEnv(what: string, env: unknown): void {
  if (env === undefined) return;
  if (typeof env !== "object" || env === null || Array.isArray(env)) {
    throw new TypeError(`Cannot make ${what}: give env as { NAME: "value" }`);
  }
  for (const [name, value] of Object.entries(env)) {
    if (name === "" || /[=\0]/.test(name)) {
      throw new TypeError(
        `Cannot make ${what}: env ${JSON.stringify(name)} is not the name of a variable`,
      );
    }
    if (typeof value !== "string") {
      throw new TypeError(`Cannot make ${what}: env ${name} is ${typeof value}, not a string`);
    }
    if (value.includes("\0")) {
      throw new TypeError(`Cannot make ${what}: env ${name} holds a zero byte`);
    }
  }
}

/** Checks a `resources` option. @throws {TypeError | RangeError} */
function checkResources(what: string, resources: unknown): void {
  if (resources === undefined) return;
  if (typeof resources !== "object" || resources === null || Array.isArray(resources)) {
    throw new TypeError(`Cannot make ${what}: ${RESOURCES}`);
  }
  for (const [name, value] of Object.entries(resources)) {
    if (value === undefined) continue;
    if ((name !== "cpu" && name !== "memory") || typeof value !== "number") {
      throw new TypeError(`Cannot make ${what}: ${RESOURCES}`);
    }
    if (!(value > 0 && value < Infinity)) {
      throw new RangeError(`Cannot make ${what}: ${name} ${value} is not a number above 0`);
    }
  }
}

const RESOURCES = "give resources as { cpu: 0.5, memory: 256 }, in processors and MiB";

/** Checks a `scopes` option. @throws {TypeError | RangeError} */
function checkScopes(what: string, scopes: unknown): void {
  if (scopes === undefined) return;
  if (!Array.isArray(scopes) || scopes.some((name) => typeof name !== "string")) {
    throw new TypeError(`Cannot make ${what}: scopes is not an array of names`);
  }
  for (const name of scopes) encodeKey(scopeKey(name));
}

/** Checks that an option, if it is given, is a whole number within bounds. @throws {TypeError | RangeError} */
export function checkWhole(
  what: string,
  name: string,
  value: unknown,
  least: number,
  most: number,
): void {
  if (value === undefined) return;
  if (typeof value !== "number") {
    throw new TypeError(`Cannot make ${what}: ${name} is ${typeof value}, not a number`);
  }
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot make ${what}: ${name} ${value} is not a whole number from ${least} to ${most}`,
  );
}

const DOOR_TYPES = ["ClusterIP", "NodePort", "LoadBalancer"] as const;

/** Checks an `expose` option. @throws {TypeError | RangeError} */
export function checkExpose(what: string, expose: unknown): void {
  if (expose === undefined || typeof expose === "boolean") return;
  const { port, type } = (expose ?? {}) as { [Key in keyof ExposeOptions]?: unknown };
  const saysNothing = port === undefined && type === undefined;
  if (typeof expose !== "object" || saysNothing || typeof (port ?? 0) !== "number") {
    throw new TypeError(`Cannot expose ${what}: give true, false or { port }`);
  }
  if (type !== undefined && !DOOR_TYPES.some((known) => known === type)) {
    throw new TypeError(
      `Cannot expose ${what}: type ${JSON.stringify(type)} is not one of ${DOOR_TYPES.join(", ")}`,
    );
  }
  if (typeof port !== "number") return;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(
      `Cannot expose ${what}: port ${port} is not a whole number from 1 to 65535`,
    );
  }
}

/**
 * Checks that what is hedged in a service can be: carried out twice, by several replicas.
 *
 * @throws {MpError} `topology_invalid`
 */
export function checkHedges(
  name: string,
  target: AnyTarget,
  options: TargetOptions,
): void {
  if (options.hedge !== undefined) {
    const replicas = options.replicas ?? (isPatternTarget(target) ? target.router.replicas : 1);
    if (replicas === 1) {
      throw cannotHedge(
        name,
        "there is one replica to call",
        "Give the service replicas, or put hedge into mp.spread()",
      );
    }
    const own = isPatternTarget(target) ? target.options.idempotent : undefined;
    if (!(own ?? options.idempotent ?? false)) throw notIdempotent(name);
  }
  checkUnder(name, target, options.idempotent ?? false);
}

function checkUnder(name: string, target: AnyTarget, inherited: boolean): void {
  if (!isPatternTarget(target)) return;
  const idempotent = target.options.idempotent ?? inherited;
  if (target.options.hedge !== undefined && !idempotent) throw notIdempotent(name);
  for (const part of Object.values(target.parts)) checkUnder(name, part.target, idempotent);
}

function notIdempotent(name: string): MpError {
  return cannotHedge(
    name,
    "it is not idempotent, and a call that is hedged may be carried out twice",
    "Say idempotent: true if that does no harm, or leave out hedge",
  );
}

function cannotHedge(name: string, why: string, next: string): MpError {
  return new MpError("topology_invalid", `Cannot hedge service "${name}": ${why}`, { next });
}

function checkHedge(what: string, hedge: unknown): void {
  if (hedge === undefined) return;
  const after = (hedge as { after?: unknown } | null)?.after;
  if (typeof hedge !== "object" || (typeof after !== "number" && after !== "p95")) {
    throw new TypeError(`Cannot make ${what}: give hedge as { after: 20 } or { after: "p95" }`);
  }
  if (typeof after === "number" && !(after > 0 && after <= 86_400_000)) {
    throw new RangeError(
      `Cannot make ${what}: hedge after ${after} is not above 0 and up to 86400000 ms`,
    );
  }
}

function isPatternTarget(target: AnyTarget): target is Extract<AnyTarget, PatternTarget> {
  return typeof target !== "function";
}
