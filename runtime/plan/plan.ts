/**
 * The plan: what is to run, as frozen JSON. Types only.
 *
 * @module
 */

import type { DoorType, PartState, Resources } from "../topology/target.ts";

/** What a topology asks for, without its functions. */
export interface Plan {
  /** A DNS label. */
  readonly app: string;
  /** Hash of the bundle and of the plan's structure; replicas of different revisions never talk. */
  readonly revision: string;
  /** Hash of the bundle alone. */
  readonly bundle: string;
  /** Parents before children, services in the order of the script. */
  readonly nodes: readonly PlanNode[];
  /** Where callers come in; the first is the deployment's own port. Empty when nothing is exposed. */
  readonly doors: readonly Door[];
  /** Files and folders beside the script that replicas read. Absent when there are none. */
  readonly files?: readonly PlanFile[];
}

/** A file or folder that replicas read. */
export interface PlanFile {
  /** Relative to the script's folder, with slashes. */
  readonly path: string;
  /** Changes when what is in it does. */
  readonly stamp: string;
}

/** One subservice. */
export interface PlanNode {
  /** The dotted name, the only identity it has. */
  readonly path: string;
  /** The service it belongs to, or the name of the built-in part `ingress`. */
  readonly service: string;
  /** What its replicas do: `handler`, or the name of the pattern whose router they host. For people and the revision. */
  readonly kind: string;
  /** How many replicas run, over all instances of the parent. */
  readonly replicas: number;
  /** How many of them each instance of the parent owns; `replicas` for a node without a parent. */
  readonly width: number;
  readonly state: PartState;
  readonly run: Run;
  readonly ports: readonly Port[];
  /** Paths of the parts that its replicas call. */
  readonly needs: readonly string[];
  readonly expose: boolean;
  /** Whom it answers, if not everyone; of a service's root. */
  readonly guard?: PlanGuard;
  /** How long a call may take, in milliseconds. */
  readonly timeout: number;
  readonly health: HealthCheck;
  readonly env: Readonly<Record<string, string>>;
  readonly resources: Resources;
}

/** How callers of a service say who they are. */
export interface PlanGuard {
  /** The API's function that asks, `mp.basicAuth()`. */
  readonly name: string;
  /** Whether who may call is told by `--auth-users`, and not by the script. */
  readonly usersFromOutside: boolean;
}

export type Run =
  | { readonly kind: "bundle" }
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "command"; readonly argv: readonly string[] };

export interface Port {
  readonly name: string;
  readonly protocol: "mp" | "http" | "tcp";
}

/** Liveness is a process that exists and a listener that accepts; a replica busy for longer than this is stalled. */
export interface HealthCheck {
  /** How long an event loop may be blocked, in milliseconds. Default: 60,000. */
  readonly stallLimit: number;
}

/** A place where callers from outside come in. */
export interface Door {
  /** A fixed port, or `null` for the deployment's own (`--port`, default 3000). */
  readonly port: number | null;
  /** The subservice whose replica listens. */
  readonly node: string;
  /** How it is reached from outside a cluster; `ClusterIP` when it is absent. */
  readonly type?: DoorType;
  /** Which subservice answers which method. */
  readonly methods: Readonly<Record<string, string>>;
}
