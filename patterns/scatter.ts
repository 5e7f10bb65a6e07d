/**
 * Scatter/gather: ask all leaves, merge what they answer.
 *
 * @module
 */

import { MpError } from "../runtime/errors.ts";
import type { Payload } from "../runtime/payload.ts";
import { checkWhole } from "../runtime/topology/check_options.ts";
import { checkFunction, makePattern } from "../runtime/topology/pattern.ts";
import type {
  NoParts,
  PartClient,
  Parts,
  PatternTarget,
  RoutedCall,
  Target,
  TargetOptions,
} from "../runtime/topology/target.ts";
import { checkTarget } from "../runtime/topology/topology.ts";

/**
 * Merges the leaves' responses, in the order of the leaves, into the service's response.
 *
 * With `minParts` some may be missing; `gathered` names them, and `parts` has the others only.
 */
export type Gather<Q, L, R> = (parts: L[], request: Q, gathered: Gathered) => R | Promise<R>;

/** What {@linkcode Gather} is told of the leaves' responses. */
export interface Gathered {
  /** The leaves that have not answered, in their order; none unless there are `minParts`. */
  readonly missing: readonly MissingPart[];
}

/** A leaf that has not answered. */
export interface MissingPart {
  /** Which of the leaves it is, from 0. */
  readonly index: number;
  /** Its name, `histogram-service.scatter.3`. */
  readonly replica: string;
  /** Why it has not: what it answered instead, or `deadline_exceeded`, or `replica_unreachable`. */
  readonly error: MpError;
}

/** Options of {@linkcode scatter}. */
export interface ScatterOptions<Q, L, R, Children extends Parts = NoParts>
  extends Omit<TargetOptions, "replicas" | "hedge"> {
  /** The number of leaves, from 1. */
  replicas: number;
  /** Answers a request on each leaf: a handler or another pattern. */
  leaf: Target<Q, L, Children>;
  /** Merges the leaves' responses. */
  gather: Gather<Q, NoInfer<L>, R>;
  /**
   * How many leaves have to answer, from 1. With fewer than all, `gather` gets what has come shortly before
   * the deadline, or as soon as all others have failed. Default: all.
   */
  minParts?: number;
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
 * the request fails with that leaf's error, unless there are `minParts` without it.
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
  const { replicas, leaf, gather, minParts, ...options } =
    typeof first === "object" && first !== null
      ? first
      : { replicas: first, leaf: leafArgument!, gather: gatherArgument!, minParts: undefined };
  checkFunction("mp.scatter()", "gather", gather);
  checkTarget("mp.scatter()", leaf, "leaf");
  checkWhole("mp.scatter()", "minParts", minParts, 1, replicas);
  return makePattern<Q, R, "gather", { readonly scatter: Children }>({
    pattern: "scatter",
    router: { name: "gather", replicas: 1 },
    parts: { scatter: { replicas, state: "indexed", target: leaf } },
    options,
    async route(call, { scatter: leaves }) {
      if (minParts !== undefined) {
        const { parts, missing } = await ask<L>(call, leaves!, minParts);
        return gather(parts, call.request, { missing });
      }
      const parts: Promise<L>[] = [];
      // each reply is decoded when it comes, while others are still on their way
      for (let i = 0; i < leaves!.replicas; i++) parts.push(leaves!.call(i, call).then(decode<L>));
      return gather(await Promise.all(parts), call.request, WHOLE);
    },
  });
}

const WHOLE: Gathered = Object.freeze({ missing: Object.freeze([]) });

/** What is kept of the time of a request for gathering and for the way back, in milliseconds. */
const LEAST_RESERVE = 50;
const MOST_RESERVE = 250;

function reserveOf(left: number): number {
  return Math.min(Math.max(left / 10, LEAST_RESERVE), MOST_RESERVE, left / 2);
}

/** Asks all leaves, and waits until each has answered or failed, while so many can still answer. */
async function ask<L>(
  call: RoutedCall,
  leaves: PartClient,
  minParts: number,
): Promise<{ parts: L[]; missing: MissingPart[] }> {
  const { replicas } = leaves;
  const left = call.context.deadline - Date.now();
  const timeout = left - reserveOf(left);
  const dispensable = replicas - Math.min(minParts, replicas);
  const missing: MissingPart[] = [];
  const replies = await Promise.all(Array.from({ length: replicas }, async (_, index) => {
    try {
      return [decode<L>(await leaves.call(index, call, { timeout }))];
    } catch (error) {
      if (!(error instanceof MpError)) throw error;
      missing.push({ index, replica: leaves.name(index), error });
      if (missing.length > dispensable) throw error;
      return [];
    }
  }));
  return { parts: replies.flat(1) as L[], missing: missing.sort((a, b) => a.index - b.index) };
}

function decode<L>(reply: Payload): L {
  return reply.value as L;
}
