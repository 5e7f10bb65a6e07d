/**
 * Services as a script holds them.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import { Payload } from "../payload.ts";
import { idempotencyKeyProblem } from "../rpc/idempotency_key.ts";
import { checkExpose } from "./check_options.ts";
import { isPattern, type ServiceDefinition } from "./topology.ts";
import type { AnyTarget, Expose, NoParts, Parts } from "./target.ts";

/** A part of a service, as a script sees it. */
export interface Subservice<Children extends Parts = NoParts> {
  /** The dotted name, `histogram-service.scatter`. */
  readonly path: string;
  /** Whether callers outside the deployment may call it; with `port`, on a fixed port of its own too. */
  expose: Expose;
  /** The parts under it. */
  readonly subservices: Subservices<Children>;
}

/** Parts by name; other names are a compile error, and an error at run time. */
export type Subservices<Children extends Parts> = {
  readonly [Name in keyof Children]: Subservice<Children[Name]>;
};

/** Options of one call. */
export interface ServiceCallOptions {
  /** In milliseconds; never longer than what is left of the call that causes this one. */
  timeout?: number;
  /** Cancels the call. */
  signal?: AbortSignal;
  /**
   * Carries the call out at most once, however often it is made with this key: what it was answered is kept
   * with what it changed. 1 to 255 characters.
   */
  idempotencyKey?: string;
}

/** A call's arguments: the request may be left out when the handler takes none. */
export type CallArguments<Q> = undefined extends Q ? [request?: Q, options?: ServiceCallOptions]
  : [request: Q, options?: ServiceCallOptions];

/** A named, callable thing, made by `mp.service()`. */
export interface Service<Q, R, Children extends Parts = NoParts> {
  readonly name: string;
  /** Whether callers outside the deployment may call it; with `port`, on a fixed port of its own too. */
  expose: Expose;
  /** The parts that its pattern added, its router among them. */
  readonly subservices: Subservices<Children>;
  /**
   * Calls the service from a handler of the same topology.
   *
   * @throws {MpError} What the service answered, or `replica_unreachable`, `deadline_exceeded`, ….
   */
  call(...args: CallArguments<Q>): Promise<R>;
}

/** How a call leaves the script. */
export type Caller = (
  service: string,
  payload: Payload,
  options: ServiceCallOptions,
) => Promise<Payload>;

/** Makes what `mp.service()` returns. */
export function makeService(
  definition: ServiceDefinition,
  caller: Caller,
): Service<unknown, unknown, Parts> {
  const { name, target } = definition;
  const root = isPattern(target) ? `${name}.${target.router.name}` : name;
  const subservices: Record<string, Subservice<Parts>> = {};
  if (isPattern(target)) {
    const own = definition.options.expose ?? target.options.expose;
    subservices[target.router.name] = makeSubservice(definition, root, {}, own);
    for (const [part, { target: under }] of Object.entries(target.parts)) {
      subservices[part] = makePart(definition, `${name}.${part}`, under);
    }
  }
  return {
    name,
    get expose() {
      return definition.exposed.get(root) ?? definition.options.expose ??
        (isPattern(target) ? target.options.expose : undefined) ?? false;
    },
    set expose(value: Expose) {
      setExpose(definition, root, value);
    },
    subservices: guard(name, subservices),
    async call(request?: unknown, options: ServiceCallOptions = {}): Promise<unknown> {
      checkTimeout(name, options.timeout);
      checkKey(name, options.idempotencyKey);
      return (await caller(name, encodeRequest(name, request), options)).value;
    },
  };
}

function checkTimeout(name: string, timeout: unknown): void {
  if (timeout === undefined || (typeof timeout === "number" && timeout > 0)) return;
  throw new RangeError(`Cannot call "${name}": timeout ${timeout} is not a number of ms over 0`);
}

function checkKey(name: string, key: unknown): void {
  if (key === undefined) return;
  if (typeof key !== "string") {
    throw new TypeError(
      `Cannot call "${name}": its idempotency key is ${
        key === null ? "null" : typeof key
      }, not a string`,
    );
  }
  const problem = idempotencyKeyProblem(key);
  if (problem !== undefined) {
    throw new RangeError(`Cannot call "${name}": its idempotency key ${problem}`);
  }
}

function encodeRequest(name: string, request: unknown): Payload {
  try {
    return Payload.encode(request);
  } catch (error) {
    throw new MpError("not_json", `Cannot call "${name}": in the request, ${messageOf(error)}`);
  }
}

function makePart(
  definition: ServiceDefinition,
  path: string,
  target: AnyTarget,
): Subservice<Parts> {
  const under: Record<string, Subservice<Parts>> = {};
  if (isPattern(target)) {
    for (const [part, { target: inner }] of Object.entries(target.parts)) {
      under[part] = makePart(definition, `${path}.${part}`, inner);
    }
  }
  const own = isPattern(target) ? target.options.expose : undefined;
  return makeSubservice(definition, path, under, own);
}

function makeSubservice(
  definition: ServiceDefinition,
  path: string,
  under: Record<string, Subservice<Parts>>,
  own?: Expose,
): Subservice<Parts> {
  return {
    path,
    get expose() {
      return definition.exposed.get(path) ?? own ?? false;
    },
    set expose(value: Expose) {
      setExpose(definition, path, value);
    },
    subservices: guard(path, under),
  };
}

function setExpose(definition: ServiceDefinition, path: string, value: Expose): void {
  checkExpose(`"${path}"`, value);
  definition.exposed.set(path, value);
}

/** Subservices by name, with a clear error for a name that is not there. */
function guard(owner: string, parts: Record<string, Subservice<Parts>>): Subservices<Parts> {
  return new Proxy(Object.freeze(parts), {
    get(target, name, receiver) {
      if (typeof name === "symbol" || name in target || name === "then" || name === "toJSON") {
        return Reflect.get(target, name, receiver);
      }
      const names = Object.keys(target);
      throw new MpError(
        "topology_invalid",
        `Cannot find subservice "${name}" of "${owner}": it has ${
          names.length ? names.join(" and ") : "none"
        }`,
        {
          next: names.length
            ? `Use ${names.map((n) => `subservices.${n}`).join(" or ")}`
            : "Expose the service itself",
        },
      );
    },
  });
}
