/**
 * What a pod says of a replica. Pure.
 *
 * @module
 */

import type { ReplicaState } from "../../runtime/launch/driver.ts";
import type { KubeObject, ObjectMeta } from "./kube_object.ts";

/** The kind of pods. */
export const POD = Object.freeze({ apiVersion: "v1", kind: "Pod" });

/** A pod, by the part of it that is used. */
export interface Pod extends Omit<KubeObject, "status" | "spec"> {
  readonly metadata: ObjectMeta & { readonly uid: string };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly PodCondition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly signal?: number;
    readonly reason?: string;
    readonly message?: string;
  };
}

/** How a replica is, by its pod. */
export interface PodJudgement {
  readonly state: ReplicaState;
  readonly restarts: number;
  /** When it became ready, in milliseconds since the epoch. */
  readonly since?: number;
  readonly lastExit?: string;
  /** What is wrong, for a person. */
  readonly message?: string;
  /** Whether it will not pass by itself, and what it is. */
  readonly stuck?: Stuck;
  /** Since when it waits for a node, in milliseconds since the epoch. */
  readonly unschedulableSince?: number;
}

/** Why a pod will never be ready. */
export type Stuck = "image" | "crash" | "config";

/** Reasons of a container that waits, and what they come to. */
const WAITING: Readonly<Record<string, Stuck>> = {
  ImagePullBackOff: "image",
  InvalidImageName: "image",
  ErrImageNeverPull: "image",
  CrashLoopBackOff: "crash",
  CreateContainerConfigError: "config",
  CreateContainerError: "config",
  RunContainerError: "config",
};
/** It may be a node that has just come, or a registry that is away for a moment. */
const PASSING: Readonly<Record<string, string>> = { ErrImagePull: "its image cannot be pulled" };
/** So many times it is started again before it counts as a crash loop. */
const CRASHES = 2;

/** Judges a pod. */
export function judgePod({ metadata, status = {} }: Pod): PodJudgement {
  const container = status.containerStatuses?.[0];
  const restarts = container?.restartCount ?? 0;
  const lastExit = describeExit(container?.lastState?.terminated ?? container?.state?.terminated);
  const common = { restarts, ...(lastExit !== undefined && { lastExit }) };
  if (metadata.deletionTimestamp !== undefined) return { ...common, state: "draining" };
  const condition = (type: string) => status.conditions?.find((one) => one.type === type);
  const ready = condition("Ready");
  if (ready?.status === "True") {
    return { ...common, state: "ready", since: timeOf(ready.lastTransitionTime) };
  }
  const waiting = container?.state?.waiting;
  if (waiting?.reason !== undefined) {
    const stuck = WAITING[waiting.reason];
    const why = stuck === "image" || waiting.reason in PASSING
      ? `its image cannot be pulled: ${firstLine(waiting.message) ?? waiting.reason}`
      : stuck === "crash"
      ? lastExit ?? "it ends again and again"
      : stuck === "config"
      ? firstLine(waiting.message) ?? waiting.reason
      : undefined;
    if (stuck === "crash" && restarts < CRASHES) {
      return { ...common, state: "restarting", message: why };
    }
    if (stuck !== undefined) {
      return {
        ...common,
        state: stuck === "crash" ? "crash loop" : "stalled",
        message: why,
        stuck,
      };
    }
    return { ...common, state: "starting", ...(why !== undefined && { message: why }) };
  }
  const scheduled = condition("PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    return {
      ...common,
      state: "starting",
      message: `no node takes it: ${firstLine(scheduled.message) ?? "unschedulable"}`,
      unschedulableSince: timeOf(scheduled.lastTransitionTime) ?? 0,
    };
  }
  if (status.phase === "Failed") {
    const why = firstLine(status.message) ?? status.reason ?? lastExit;
    return { ...common, state: "restarting", ...(why !== undefined && { message: why }) };
  }
  return { ...common, state: restarts > 0 ? "restarting" : "starting" };
}

/** `killed by signal 9`, `out of memory`, `exited with 1`. */
function describeExit(terminated: ContainerState["terminated"]): string | undefined {
  if (terminated === undefined) return undefined;
  const { exitCode, signal, reason } = terminated;
  if (reason === "OOMKilled") return "killed, for it used more memory than it may";
  if (signal) return `killed by signal ${signal}`;
  return exitCode > 128 ? `killed by signal ${exitCode - 128}` : `exited with ${exitCode}`;
}

function firstLine(text: string | undefined): string | undefined {
  return text?.trim().split("\n", 1)[0] || undefined;
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}
