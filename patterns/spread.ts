/**
 * Spread: any replica can answer, and the load is spread over them.
 *
 * @module
 */

import { makePattern } from "../runtime/topology/pattern.ts";
import { pickReplica, type SpreadStrategy } from "../runtime/topology/pick_replica.ts";
import type {
  NoParts,
  Parts,
  PatternTarget,
  Target,
  TargetOptions,
} from "../runtime/topology/target.ts";
import { checkTarget } from "../runtime/topology/topology.ts";

/** Options of {@linkcode spread}. */
export interface SpreadOptions<Q, R, Children extends Parts = NoParts>
  extends Omit<TargetOptions, "replicas"> {
  /** The number of replicas, from 1. */
  replicas: number;
  /** Answers a request on any replica: a handler or another pattern. */
  target: Target<Q, R, Children>;
  /** How a replica is chosen. Default: `"least-loaded"`. */
  strategy?: SpreadStrategy;
}

/** What {@linkcode spread} makes. */
export type SpreadTarget<Q, R, Children extends Parts = NoParts> = PatternTarget<
  Q,
  R,
  "shard",
  { readonly compute: Children }
>;

/**
 * Sends every request to one of several equal replicas.
 *
 * Subservices: `compute` (the replicas) and `shard` (the router, which has no state); these are the parts
 * of `shard` too.
 *
 * @param options The replicas, how many they are, and how one is chosen.
 * @throws {RangeError | TypeError} For options of the wrong kind.
 *
 * @example Three replicas
 * ```ts
 * import * as mp from "@metaparticle/mp";
 *
 * const target = (name: string) => `hello, ${name}`;
 * mp.service("hello", mp.spread({ replicas: 3, target, strategy: "round-robin", expose: true }));
 * ```
 */
export function spread<Q, R, Children extends Parts = NoParts>(
  options: SpreadOptions<Q, R, Children>,
): SpreadTarget<Q, R, Children>;
/**
 * The short form of {@linkcode spread}.
 *
 * @param replicas The number of replicas, from 1.
 * @param target Answers a request on any replica: a handler or another pattern.
 * @param options How a replica is chosen.
 */
export function spread<Q, R, Children extends Parts = NoParts>(
  replicas: number,
  target: Target<Q, R, Children>,
  options?: { strategy?: SpreadStrategy },
): SpreadTarget<Q, R, Children>;
export function spread<Q, R, Children extends Parts>(
  first: number | SpreadOptions<Q, R, Children>,
  targetArgument?: Target<Q, R, Children>,
  optionsArgument?: { strategy?: SpreadStrategy },
): SpreadTarget<Q, R, Children> {
  const { replicas, target, strategy, ...options } = typeof first === "object" && first !== null
    ? first
    : { replicas: first, target: targetArgument!, ...optionsArgument };
  const pick = pickReplica(strategy ?? "least-loaded");
  checkTarget("mp.spread()", target, "target");
  return makePattern<Q, R, "shard", { readonly compute: Children }>({
    pattern: "spread",
    router: { name: "shard", replicas: 1 },
    parts: { compute: { replicas, state: "none", target } },
    options,
    route: (call, { compute }) => compute!.callAny(pick, call),
  });
}
