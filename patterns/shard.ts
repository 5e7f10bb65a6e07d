/**
 * Shard: a key of the request chooses the replica that answers.
 *
 * @module
 */

import { messageOf, MpError } from "../runtime/errors.ts";
import { hash32, mix32 } from "../runtime/hash.ts";
import type { Context } from "../runtime/topology/context.ts";
import { checkFunction, makePattern } from "../runtime/topology/pattern.ts";
import type {
  NoParts,
  Parts,
  PatternTarget,
  Target,
  TargetOptions,
} from "../runtime/topology/target.ts";
import { checkTarget } from "../runtime/topology/topology.ts";

/** The key of a request: a whole number, taken modulo the number of shards, or a string, which is hashed. */
export type ShardKey<Q> = (
  request: Q,
  context: Context,
) => number | string | Promise<number | string>;

/** Options of {@linkcode shard}. */
export interface ShardOptions<Q, R, Children extends Parts = NoParts>
  extends Omit<TargetOptions, "replicas" | "hedge"> {
  /** The number of shards, from 1. */
  replicas: number;
  /** The key of a request. */
  key: ShardKey<Q>;
  /** Answers a request on its shard: a handler or another pattern. */
  target: Target<Q, R, Children>;
}

/** What {@linkcode shard} makes. */
export type ShardTarget<Q, R, Children extends Parts = NoParts> = PatternTarget<
  Q,
  R,
  "shard",
  { readonly compute: Children }
>;

/**
 * Sends every request to the one replica that its key chooses.
 *
 * Subservices: `compute` (the shards) and `shard` (the router, which has no state).
 *
 * @param options The shards, how many they are, and the key.
 * @throws {RangeError | TypeError} For options of the wrong kind.
 *
 * @example A shard for each user
 * ```ts
 * import * as mp from "@metaparticle/mp";
 *
 * const visits = new Map<string, number>();
 * const target = ({ user }: { user: string }) => {
 *   visits.set(user, (visits.get(user) ?? 0) + 1);
 *   return visits.get(user)!;
 * };
 * mp.service("visits", mp.shard({ replicas: 4, key: ({ user }) => user, target, expose: true }));
 * ```
 */
export function shard<Q, R, Children extends Parts = NoParts>(
  options: ShardOptions<Q, R, Children>,
): ShardTarget<Q, R, Children>;
/**
 * The short form of {@linkcode shard}.
 *
 * @param replicas The number of shards, from 1.
 * @param key The key of a request.
 * @param target Answers a request on its shard: a handler or another pattern.
 */
export function shard<Q, R, Children extends Parts = NoParts>(
  replicas: number,
  key: ShardKey<Q>,
  target: Target<Q, R, Children>,
): ShardTarget<Q, R, Children>;
export function shard<Q, R, Children extends Parts>(
  first: number | ShardOptions<Q, R, Children>,
  keyArgument?: ShardKey<Q>,
  targetArgument?: Target<Q, R, Children>,
): ShardTarget<Q, R, Children> {
  const { replicas, key, target, ...options } = typeof first === "object" && first !== null
    ? first
    : { replicas: first, key: keyArgument!, target: targetArgument! };
  checkFunction("mp.shard()", "key", key);
  checkTarget("mp.shard()", target, "target");
  return makePattern<Q, R, "shard", { readonly compute: Children }>({
    pattern: "shard",
    router: { name: "shard", replicas: 1 },
    parts: { compute: { replicas, state: "keyed", target } },
    options,
    route(call, { compute }) {
      const found = keyOf(key, call.request, call.context);
      return typeof found === "object"
        ? found.then((value) => compute!.call(shardOf(value, compute!.replicas), call))
        : compute!.call(shardOf(found, compute!.replicas), call);
    },
  });
}

/**
 * The shard of a key.
 *
 * Numbers are taken modulo `shards` (the result is never negative). Strings are placed by rendezvous
 * hashing (Thaler and Ravishankar, 1998), so that another number of shards moves as few as can be.
 *
 * @throws {MpError} `invalid_shard_key` for a number that is not whole, and anything else.
 * @throws {RangeError} Unless `shards` is a whole number from 1.
 *
 * @example
 * ```ts
 * import { shardOf } from "@metaparticle/mp";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shardOf(-1, 4), 3);
 * assertEquals(shardOf("ada", 4), shardOf("ada", 4));
 * ```
 */
export function shardOf(key: unknown, shards: number): number {
  if (!Number.isInteger(shards) || shards < 1) {
    throw new RangeError(`Cannot choose one of ${shards} shards: give a whole number from 1`);
  }
  if (typeof key === "number" && Number.isSafeInteger(key)) {
    return ((key % shards) + shards) % shards;
  }
  if (typeof key !== "string") throw invalidKey(key);
  const hash = hash32(key);
  let best = 0;
  let highest = -1;
  for (let i = 0; i < shards; i++) {
    const weight = mix32(hash ^ Math.imul(i + 1, 0x9e3779b1));
    if (weight > highest) {
      highest = weight;
      best = i;
    }
  }
  return best;
}

function keyOf<Q>(
  key: ShardKey<Q>,
  request: Q,
  context: Context,
): string | number | Promise<unknown> {
  let value: unknown;
  try {
    value = key(request, context);
  } catch (error) {
    throw failedKey(error);
  }
  if (typeof value === "number" || typeof value === "string") return value;
  if (!isThenable(value)) throw invalidKey(value);
  return Promise.resolve(value).catch((error) => Promise.reject(failedKey(error)));
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function invalidKey(key: unknown): MpError {
  const shown = typeof key === "number" ? String(key) : key === null ? "null" : typeof key;
  return new MpError(
    "invalid_shard_key",
    `Cannot choose a shard: the key is ${shown}, not a whole number or a string`,
  );
}

function failedKey(error: unknown): MpError {
  return new MpError(
    "invalid_shard_key",
    `Cannot choose a shard: the key failed: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}
