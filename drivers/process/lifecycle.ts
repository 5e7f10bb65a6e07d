/**
 * The life of a replica's process, as its supervisor sees it: what state it is in, and what is to be done
 * next. Pure; the effects are in `supervised_replica.ts`.
 *
 * @module
 */

import type { ReplicaState } from "../../runtime/launch/driver.ts";

/** When to do what. Times are in milliseconds. */
export interface LifecyclePolicy {
  /** The longest wait before the first restart; each further one may be twice as long. */
  readonly firstDelay: number;
  readonly longestDelay: number;
  /** A replica that was ready for so long has recovered: what comes next is its first failure again. */
  readonly settled: number;
  /** So many failures in a row are a crash loop. */
  readonly crashLoop: number;
  /** How long a replica may not answer before it counts as busy. */
  readonly busyAfter: number;
  /** How long it may not answer before it is killed. */
  readonly stallLimit: number;
}

export const POLICY: Omit<LifecyclePolicy, "stallLimit"> = {
  firstDelay: 50,
  longestDelay: 30_000,
  settled: 10_000,
  crashLoop: 5,
  busyAfter: 1_000,
};

/** Where a replica's process is in its life. */
export interface Life {
  readonly state: ReplicaState;
  readonly restarts: number;
  /** How often it ended in a row without having recovered. */
  readonly failures: number;
  /** When it became ready, while it is. */
  readonly since?: number;
  readonly lastExit?: string;
  /** What is wrong with it. */
  readonly message?: string;
  /** Whether it was told to end in order to be started anew. */
  readonly renewing?: boolean;
}

export const UNBORN: Life = { state: "starting", restarts: 0, failures: 0 };

/** Something that happened to a replica's process. */
export type Happening =
  /** It listens, and its doors are open. */
  | { readonly kind: "ready"; readonly now: number }
  /** It was asked for a sign of life so long ago, and has not given one. */
  | { readonly kind: "silent"; readonly for: number }
  | { readonly kind: "answered" }
  /** It is to end; `again` when it is to be started anew afterwards. */
  | { readonly kind: "drain"; readonly again: boolean }
  | {
    readonly kind: "ended";
    readonly now: number;
    /** `killed by SIGKILL`, `exited with 1`. */
    readonly how: string;
    /** What it said of the reason. */
    readonly message?: string;
    /** Whether it would end in the same way again. */
    readonly fatal: boolean;
    /** A random number from 0 to 1, for the jitter. */
    readonly random: number;
  };

/** What the supervisor is to do. */
export type Order =
  | { readonly kind: "start"; readonly after: number }
  | { readonly kind: "kill" }
  | { readonly kind: "nothing" };

const NOTHING: Order = { kind: "nothing" };

/** What becomes of a life, and what is to be done. */
export interface Step {
  readonly life: Life;
  readonly order: Order;
}

/** The next step of a life. */
export function advance(
  life: Life,
  happening: Happening,
  policy: LifecyclePolicy,
): Step {
  switch (happening.kind) {
    case "ready":
      if (isLeaving(life)) return { life, order: NOTHING };
      return {
        life: { ...life, state: "ready", since: happening.now, message: undefined },
        order: NOTHING,
      };
    case "silent":
      return silent(life, happening.for, policy);
    case "answered":
      if (life.state !== "busy") return { life, order: NOTHING };
      return { life: { ...life, state: "ready", message: undefined }, order: NOTHING };
    case "drain":
      if (life.state === "stopped") return { life, order: NOTHING };
      return {
        life: {
          ...life,
          state: happening.again ? "restarting" : "draining",
          renewing: happening.again,
          message: undefined,
        },
        order: NOTHING,
      };
    case "ended":
      return ended(life, happening, policy);
  }
}

/** Whether a replica has been told to end, or has. */
export function isLeaving({ state, renewing = false }: Life): boolean {
  return renewing || state === "draining" || state === "stopped" || state === "stalled";
}

function silent(life: Life, quiet: number, policy: LifecyclePolicy): Step {
  if (isLeaving(life)) return { life, order: NOTHING };
  if (quiet >= policy.stallLimit) {
    const message = `its event loop was blocked for ${seconds(quiet)}`;
    return {
      life: { ...life, state: "stalled", message } as Life,
      order: { kind: "kill" } as Order,
    };
  }
  // before it is ready it has nothing to be too busy for
  if (life.state !== "ready" || quiet < policy.busyAfter) return { life, order: NOTHING };
  return { life: { ...life, state: "busy" }, order: NOTHING };
}

function ended(
  life: Life,
  { now, how, message, fatal, random }: Happening & { kind: "ended" },
  policy: LifecyclePolicy,
): Step {
  const { since, renewing, ...rest } = life;
  if (life.state === "draining" || life.state === "stopped") {
    return { life: { ...rest, state: "stopped", lastExit: how }, order: NOTHING };
  }
  if (renewing) {
    const restarts = life.restarts + 1;
    return {
      life: { ...rest, restarts, failures: 0, lastExit: how },
      order: { kind: "start", after: 0 },
    };
  }
  const lastExit = life.state === "stalled" ? `stalled: ${life.message}` : how;
  if (fatal) return { life: { ...rest, state: "stopped", lastExit, message }, order: NOTHING };
  const recovered = since !== undefined && now - since >= policy.settled;
  const failures = recovered ? 1 : life.failures + 1;
  const looping = failures >= policy.crashLoop;
  return {
    life: {
      ...rest,
      state: looping ? "crash loop" : "restarting",
      restarts: life.restarts + 1,
      failures,
      lastExit,
      message,
    },
    order: { kind: "start", after: delayOf(failures, random, policy) },
  };
}

/** Exponential back-off with full jitter, so that replicas that fail together do not return together. */
function delayOf(failures: number, random: number, policy: LifecyclePolicy): number {
  if (failures >= policy.crashLoop) return policy.longestDelay * (0.5 + random / 2);
  return Math.min(policy.longestDelay, policy.firstDelay * 2 ** (failures - 1)) * random;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
