/**
 * Scatter/gather: ask all leaves, merge what they answer.
 *
 * @module
 */

import type { Payload } from "../runtime/payload.ts";
import { checkFunction, makePattern } from "../runtime/topology/pattern.ts";
import type {
  NoParts,
  Parts,
  PatternTarget,
  Target,
  TargetOptions,
} from "../runtime/topology/target.ts";
import { checkTarget } from "../runtime/topology/topology.ts";

/** Merges the leaves' responses, in the order of the leaves, into the service's response. */
export type Gather<Q, L, R> = (parts: L[], request: Q) => R | Promise<R>;

/** Options of {@linkcode scatter}. */
export interface ScatterOptions<Q, L, R, Children extends Parts = NoParts>
  extends Omit<TargetOptions, "replicas" | "hedge"> {
  /** The number of leaves, from 1. */
  replicas: number;
  /** Answers a request on each leaf: a handler or another pattern. */
  leaf: Target<Q, L, Children>;
  /** Merges the leaves' responses. */
  gather: Gather<Q, NoInfer<L>, R>;
}

/** What {@linkcode scatter} makes. */
export type ScatterTarget<Q, R, Children extends Parts = NoParts> = PatternTarget<
  Q,
  R,
  "gather",
  { readonly scatter: Children }
>;

/**
 * Sends every request to all leaves at once, and hands their responses to `gather`.
 *
 * Subservices: `scatter` (the leaves) and `gather` (the router, which has no state). When a leaf fails,
 * the request fails with that leaf's error.
 *
 * @param options The leaves, how many they are, and how to merge what they answer.
 * @throws {RangeError | TypeError} For options of the wrong kind.
 *
 * @example Count over ten leaves
 * ```ts
 * import * as mp from "@metaparticle/mp";
 *
 * const leaf = (word: string) => word.length;
 * const gather = (parts: number[]) => parts.reduce((sum, part) => sum + part, 0);
 * mp.service("count", mp.scatter({ replicas: 10, leaf, gather, expose: true }));
 * mp.service("count-too", mp.scatter(10, leaf, gather), { expose: true });
 * ```
 */
export function scatter<Q, L, R, Children extends Parts = NoParts>(
  options: ScatterOptions<Q, L, R, Children>,
): ScatterTarget<Q, R, Children>;
/**
 * The short form of {@linkcode scatter}.
 *
 * @param replicas The number of leaves, from 1.
 * @param leaf Answers a request on each leaf: a handler or another pattern.
 * @param gather Merges the leaves' responses.
 */
export function scatter<Q, L, R, Children extends Parts = NoParts>(
  replicas: number,
  leaf: Target<Q, L, Children>,
  gather: Gather<Q, NoInfer<L>, R>,
): ScatterTarget<Q, R, Children>;
export function scatter<Q, L, R, Children extends Parts>(
  first: number | ScatterOptions<Q, L, R, Children>,
  leafArgument?: Target<Q, L, Children>,
  gatherArgument?: Gather<Q, L, R>,
): ScatterTarget<Q, R, Children> {
  const { replicas, leaf, gather, ...options } = typeof first === "object" && first !== null
    ? first
    : { replicas: first, leaf: leafArgument!, gather: gatherArgument! };
  checkFunction("mp.scatter()", "gather", gather);
  checkTarget("mp.scatter()", leaf, "leaf");
  return makePattern<Q, R, "gather", { readonly scatter: Children }>({
    pattern: "scatter",
    router: { name: "gather", replicas: 1 },
    parts: { scatter: { replicas, state: "indexed", target: leaf } },
    options,
    async route(call, { scatter: leaves }) {
      const parts: Promise<L>[] = [];
      // each reply is decoded when it comes, while others are still on their way
      for (let i = 0; i < leaves!.replicas; i++) parts.push(leaves!.call(i, call).then(decode<L>));
      return gather(await Promise.all(parts), call.request);
    },
  });
}

function decode<L>(reply: Payload): L {
  return reply.value as L;
}
