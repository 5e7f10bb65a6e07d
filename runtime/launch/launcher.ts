/**
 * The contract of a launcher, as seen by commands in its own process and in others. Types only.
 *
 * @module
 */

import type { Plan } from "../plan/plan.ts";
import type {
  DeploymentEvent,
  DeploymentHandle,
  DriverSettings,
  LogLine,
  ReplicaId,
  ReplicaStatus,
} from "./driver.ts";
import type { StorageConfig, StorageName } from "../storage/storage_config.ts";
import type { ErrorRecord } from "./error_record.ts";

/** The process that supervises a deployment. */
export interface Launcher {
  /** What runs. */
  status(): Promise<LauncherStatus>;
  /** Resolves when every replica is ready. @throws {MpError} `crash_loop` or `launch_failed`. */
  ready(signal?: AbortSignal): Promise<void>;
  /**
   * Replaces what runs. Replicas of parts without state are added and removed in place when nothing else
   * differs; otherwise a whole new tree is started beside the old.
   *
   * @throws {MpError} Why the new one does not run; the old one goes on.
   */
  update(order: DeployOrder): Promise<UpdateOutcome>;
  restart(replicas: readonly ReplicaId[]): Promise<void>;
  scale(order: ScaleOrder): Promise<UpdateOutcome>;
  /** Drains and stops every replica, removes what was made, and ends the launcher. */
  delete(): Promise<void>;
  /** Where the app's scopes live, with what it takes to get there; nothing when it uses none. */
  storage(): Promise<StorageConfig | null>;
  /** What happens from now on, until `signal` aborts or the launcher ends. */
  news(signal: AbortSignal): AsyncIterable<News>;
}

/** What is to be deployed; JSON. */
export interface DeployOrder {
  /** The version of `mp` that gives the order. */
  readonly version: string;
  readonly driver: string;
  readonly plan: Plan;
  readonly bundle: OrderedBundle;
  /** Environment of every replica, besides the launcher's own and each node's. */
  readonly env: Readonly<Record<string, string>>;
  /** The working folder of replicas. */
  readonly cwd: string;
  /** Where the deployment's own door listens; an update without a host or port keeps it where it is. */
  readonly host?: string;
  readonly port?: number;
  /** The path whose replica 0 is started with the inspector. */
  readonly inspect?: string;
  /** What only the driver knows. */
  readonly settings?: DriverSettings;
  /** How many replicas the command line asked for, by path. */
  readonly widths: Readonly<Record<string, number>>;
  /** Where scopes live, if the script may use any. Holds a password. */
  readonly storage?: StorageConfig;
  /** Whether the counts that `mp scale` set stay. */
  readonly keepScale?: boolean;
}

/** A bundle as it is ordered. */
export interface OrderedBundle {
  readonly code: string;
  readonly map: string;
  readonly hash: string;
  readonly script: string;
}

export interface ScaleOrder {
  readonly path: string;
  /** How many replicas each instance of the parent is to have. */
  readonly replicas: number;
  /** Whether keys may move to other replicas. */
  readonly rehash: boolean;
}

/** What an update or a change of scale came to. */
export interface UpdateOutcome {
  /** `in place`: replicas were added or removed; `new tree`: all were replaced. */
  readonly how: "unchanged" | "in place" | "new tree";
  readonly handle: DeploymentHandle;
  readonly plan: Plan;
}

export interface LauncherStatus {
  readonly handle: DeploymentHandle;
  readonly plan: Plan;
  readonly version: string;
  readonly pid: number;
  /** Whether it is being deleted. */
  readonly stopping: boolean;
  /** Where scopes live, if the app may use any; the address without a password. */
  readonly storage?: { readonly name: StorageName; readonly address: string };
  readonly replicas: readonly ReplicaStatus[];
}

/** Something that happened. */
export type News =
  | { readonly kind: "replica"; readonly event: DeploymentEvent }
  | { readonly kind: "line"; readonly line: LogLine }
  /** Another plan is on its way; what ran before goes on until it is ready. */
  | { readonly kind: "updating"; readonly plan: Plan; readonly how: UpdateOutcome["how"] }
  | { readonly kind: "updated"; readonly outcome: UpdateOutcome }
  | { readonly kind: "update failed"; readonly error: ErrorRecord }
  /** Something is wrong but stops nothing, such as logs that cannot be kept. */
  | { readonly kind: "warning"; readonly error: ErrorRecord }
  /** Something is done that takes long, such as building an image. */
  | { readonly kind: "progress"; readonly text: string }
  /** The follower was too slow for so many of the news. */
  | { readonly kind: "missed"; readonly count: number }
  | { readonly kind: "stopping" }
  | { readonly kind: "stopped" };
