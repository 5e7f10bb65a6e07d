/**
 * The pod of a part: one replica. Pure.
 *
 * @module
 */

import type { PlanNode } from "../../../runtime/plan/plan.ts";
import { telemetryEnv } from "../../../runtime/telemetry/telemetry_env.ts";
import type { KubeFields } from "../kube_object.ts";
import { LABEL, labelsOf, selectorOf } from "../labels.ts";
import { HTTP_PORT, PEER_PORT } from "../ports.ts";
import type { TreeContext } from "./object_meta.ts";
import { podResources } from "./pod_resources.ts";
import { CONTAINER_SECURITY, POD_SECURITY } from "./pod_security.ts";
import { probes } from "./probes.ts";

/** What the pods of a tree have in common. */
export interface PodContext extends TreeContext {
  readonly image: string;
  readonly pullPolicy?: "Always" | "IfNotPresent" | "Never";
  readonly serviceAccount: string;
  /** Environment of every replica; the node's own comes before it. */
  readonly shared: Readonly<Record<string, string>>;
  /** The Secret with the rest of the environment, and the names that it sets. */
  readonly secretEnv: { readonly name: string; readonly names: readonly string[] } | undefined;
  /** What that Secret sets. */
  readonly given: Readonly<Record<string, string>>;
  /** What is mounted at {@linkcode FILES}: sources of a projected volume. */
  readonly files: readonly KubeFields[];
  /** The PersistentVolumeClaim that is mounted at {@linkcode DATA}. */
  readonly claim?: string;
  /** The first argument that makes the executable a replica. */
  readonly args: readonly string[];
}

/** The doors that a pod opens. */
export interface PodDoor {
  readonly name: string;
  readonly port: number;
}

/** Stands for the pod's name in the value of a variable. */
const POD_NAME = "$(MP_POD_NAME)";
/** Where a pod finds its files. */
export const FILES = "/run/mp";
/** Where a claim is mounted. */
export const DATA = "/data";
/** How long a door goes on after its pod was told to end, for Services take a while to send callers elsewhere, in ms. */
export const LINGER = 5_000;
/** How long a replica may drain after that, in milliseconds. */
export const GRACE = 30_000;
/** How long it may take from the end of the drain to the end of the process, in seconds. */
const MARGIN = 5;

/** The template of a part's pods. */
export function podTemplate(
  node: PlanNode,
  indexed: boolean,
  doors: readonly PodDoor[],
  context: PodContext,
): KubeFields {
  const { app, tree, revision } = context;
  const { path } = node;
  return {
    metadata: {
      labels: {
        ...labelsOf({ app, tree, revision, path }),
        ...(doors.length > 0 && { [LABEL.door]: "true" }),
      },
      annotations: { "kubectl.kubernetes.io/default-container": "replica", [LABEL.path]: path },
    },
    spec: {
      serviceAccountName: context.serviceAccount,
      automountServiceAccountToken: false,
      // otherwise the environment names every Service of the namespace
      enableServiceLinks: false,
      terminationGracePeriodSeconds: Math.ceil((LINGER + GRACE) / 1000) + MARGIN,
      securityContext: POD_SECURITY,
      // of a part of one replica too: what is scaled keeps its template, or all its pods would be replaced
      topologySpreadConstraints: spread({ app, tree, path }),
      containers: [container(node, indexed, doors, context)],
      volumes: volumes(context),
    },
  };
}

function container(
  node: PlanNode,
  indexed: boolean,
  doors: readonly PodDoor[],
  context: PodContext,
): KubeFields {
  const { image, pullPolicy = "IfNotPresent", args, secretEnv, claim } = context;
  return {
    name: "replica",
    image,
    imagePullPolicy: pullPolicy,
    args: [...args],
    env: environment(node, indexed, context),
    ...(secretEnv && { envFrom: [{ secretRef: { name: secretEnv.name } }] }),
    ports: [
      { name: "peer", containerPort: PEER_PORT, protocol: "TCP" },
      { name: "http", containerPort: HTTP_PORT, protocol: "TCP" },
      ...doors.map(({ name, port }) => ({ name, containerPort: port, protocol: "TCP" })),
    ],
    resources: podResources(node.resources),
    securityContext: CONTAINER_SECURITY,
    terminationMessagePolicy: "FallbackToLogsOnError",
    ...probes(node.health.stallLimit),
    volumeMounts: [
      { name: "files", mountPath: FILES, readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
      ...(claim === undefined ? [] : [{ name: "data", mountPath: DATA }]),
    ],
  };
}

/** What is set by name beats what comes from the Secret, so a name is set in one place only. */
function environment(
  { path, env }: PlanNode,
  indexed: boolean,
  { shared, secretEnv, given, app, revision }: PodContext,
): KubeFields[] {
  const telemetry = telemetryEnv({ ...env, ...shared, ...given }, {
    app,
    revision,
    path,
    name: POD_NAME,
  });
  const own = Object.entries(env).filter(([name]) =>
    !Object.hasOwn(shared, name) && !secretEnv?.names.includes(name) &&
    !Object.hasOwn(telemetry, name)
  );
  const field = (name: string, fieldPath: string): KubeFields => ({
    name,
    valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } },
  });
  return [
    ...[...own, ...Object.entries(shared)].map(([name, value]) => ({
      name,
      value: literal(value),
    })),
    { name: "MP_PATH", value: path },
    field("MP_POD_NAME", "metadata.name"),
    // what a value refers to must come before it
    ...Object.entries(telemetry).map(([name, value]) => ({
      name,
      value: value.split(POD_NAME).map(literal).join(POD_NAME),
    })),
    // where the index says nothing, all replicas have the same
    ...(indexed ? [] : [{ name: "MP_INDEX", value: "0" }]),
    field("MP_LISTEN_HOST", "status.podIP"),
  ];
}

/** Kubernetes replaces `$(NAME)` in values. */
function literal(value: string): string {
  return value.replaceAll("$(", () => "$$(");
}

function volumes({ files, claim }: PodContext): KubeFields[] {
  return [
    { name: "files", projected: { defaultMode: 0o444, sources: [...files] } },
    { name: "tmp", emptyDir: {} },
    ...(claim === undefined ? [] : [{ name: "data", persistentVolumeClaim: { claimName: claim } }]),
  ];
}

/** One node or zone that fails takes as few replicas as can be; a cluster that is small is no obstacle. */
function spread(part: Parameters<typeof selectorOf>[0]): KubeFields[] {
  return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorOf(part) },
  }));
}
