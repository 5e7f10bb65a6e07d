/**
 * What an API server fills in and what it refuses, for the kinds that the driver makes.
 *
 * @module
 */

import type { Stored } from "./object_store.ts";
import { wrongIn } from "./schemas.ts";

/** Why an object is refused. */
export interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly { readonly field: string; readonly message: string }[];
}

const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DNS_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Refuses a configuration whose shape is wrong. */
export function checkShape(config: Stored): Refusal | undefined {
  const wrong = wrongIn(config);
  if (wrong.length === 0) return undefined;
  return {
    code: 400,
    reason: "BadRequest",
    message:
      `failed to create typed patch object (${config.metadata?.namespace}/${config.metadata?.name}; ` +
      `${config.apiVersion}, Kind=${config.kind}): ${wrong.join("; ")}`,
  };
}

/** Refuses an object whose values are wrong, or that may not become this. */
export function checkObject(object: Stored, before: Stored | undefined): Refusal | undefined {
  const causes: { field: string; message: string }[] = [];
  const bad = (field: string, value: unknown, why: string) =>
    causes.push({ field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` });
  const { name, labels = {} } = object.metadata;
  if (
    object.kind === "Service" ? !DNS_1035.test(name) || name.length > 63 : !DNS_SUBDOMAIN.test(name)
  ) {
    bad(
      "metadata.name",
      name,
      "a DNS label must consist of lower case alphanumeric characters or '-'",
    );
  }
  checkLabels("metadata.labels", labels, bad);
  if (object.kind === "StatefulSet" || object.kind === "Deployment") checkWorkload(object, bad);
  if (object.kind === "ConfigMap") {
    const size = Object.entries({ ...object.data, ...object.binaryData })
      .reduce((sum, [key, value]) => sum + key.length + String(value).length, 0);
    // binary data counts before it is encoded
    const decoded = Object.values(object.binaryData ?? {})
      .reduce((sum: number, value) => sum + Math.floor(String(value).length / 4), 0);
    if (size - decoded > 1024 * 1024) bad("", "", "must have at most 1048576 bytes");
  }
  if (before) checkChange(object, before, bad);
  if (causes.length === 0) return undefined;
  return {
    code: 422,
    reason: "Invalid",
    message: `${object.kind} "${name}" is invalid: ${
      causes.map(({ field, message }) => `${field}: ${message}`).join(", ")
    }`,
    causes,
  };
}

type Bad = (field: string, value: unknown, why: string) => void;

function checkLabels(field: string, labels: Record<string, string>, bad: Bad): void {
  for (const [key, value] of Object.entries(labels)) {
    if (value.length > 63 || !LABEL_VALUE.test(value)) {
      bad(
        `${field}.${key}`,
        value,
        "a valid label must be at most 63 characters of [-A-Za-z0-9_.]",
      );
    }
  }
}

function checkWorkload({ metadata, spec }: Stored, bad: Bad): void {
  const { matchLabels = {} } = spec.selector ?? {};
  const labels = spec.template?.metadata?.labels ?? {};
  checkLabels("spec.template.labels", labels, bad);
  if (Object.entries(matchLabels).some(([key, value]) => labels[key] !== value)) {
    bad("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
  }
  if (metadata.name.length > 253) bad("metadata.name", metadata.name, "too long");
  const pod = spec.template.spec;
  for (const [i, container] of pod.containers.entries()) {
    const at = `spec.template.spec.containers[${i}]`;
    const mounts = new Set((pod.volumes ?? []).map(({ name }: { name: string }) => name));
    for (const { name } of container.volumeMounts ?? []) {
      if (!mounts.has(name)) bad(`${at}.volumeMounts`, name, "Not found");
    }
    for (const { name } of container.ports ?? []) {
      if (name && (name.length > 15 || !DNS_1035.test(name))) {
        bad(`${at}.ports`, name, "must be no more than 15 characters");
      }
    }
    for (const { name } of container.env ?? []) {
      if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(name)) {
        bad(`${at}.env`, name, "a valid environment variable name");
      }
    }
    for (const kind of ["startupProbe", "livenessProbe"]) {
      if ((container[kind]?.successThreshold ?? 1) !== 1) {
        bad(`${at}.${kind}.successThreshold`, 0, "must be 1");
      }
    }
    const { requests = {}, limits = {} } = container.resources ?? {};
    for (const resource of Object.keys(limits)) {
      if (quantity(requests[resource] ?? limits[resource]) > quantity(limits[resource])) {
        bad(
          `${at}.resources.requests`,
          requests[resource],
          `must be less than or equal to ${resource} limit`,
        );
      }
    }
  }
}

/** What may not change once it is there. */
function checkChange(object: Stored, before: Stored, bad: Bad): void {
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
  const immutable = "field is immutable";
  if (object.kind === "Deployment" && differs(object.spec.selector, before.spec.selector)) {
    bad("spec.selector", object.spec.selector, immutable);
  }
  if (object.kind === "StatefulSet") {
    const fixed = (
      {
        spec: {
          replicas: _,
          template: __,
          updateStrategy: ___,
          minReadySeconds: ____,
          ordinals: _5,
          persistentVolumeClaimRetentionPolicy: _6,
          ...rest
        },
      }: Stored,
    ) => rest;
    if (differs(fixed(object), fixed(before))) {
      bad(
        "spec",
        "",
        "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      );
    }
  }
  if (
    object.kind === "Service" && before.spec.clusterIP &&
    differs(object.spec.clusterIP, before.spec.clusterIP)
  ) {
    bad("spec.clusterIP", object.spec.clusterIP, immutable);
  }
  if (["ConfigMap", "Secret"].includes(object.kind) && before.immutable) {
    if (
      !object.immutable ||
      differs([object.data, object.binaryData], [before.data, before.binaryData])
    ) {
      bad("data", "", "Forbidden: field is immutable when `immutable` is set");
    }
  }
  if (object.kind === "Secret" && differs(object.type, before.type)) {
    bad("type", object.type, immutable);
  }
}

let addresses = 0;

/** Fills in what was not given, as the server does; nobody owns it. */
export function fillIn(object: Stored): Stored {
  const { spec } = object;
  if (object.kind === "Service") {
    spec.type ??= "ClusterIP";
    spec.clusterIP ??= `10.96.${addresses >> 8}.${++addresses & 255}`;
    spec.clusterIPs ??= [spec.clusterIP];
    spec.sessionAffinity ??= "None";
    spec.ipFamilies ??= ["IPv4"];
    spec.ipFamilyPolicy ??= "SingleStack";
    spec.internalTrafficPolicy ??= "Cluster";
    for (const [i, port] of (spec.ports ?? []).entries()) {
      port.protocol ??= "TCP";
      port.targetPort ??= port.port;
      if (spec.type !== "ClusterIP") port.nodePort ??= 30_000 + (addresses * 7 + i) % 2_768;
    }
    object.status ??= { loadBalancer: {} };
  }
  if (object.kind === "Deployment" || object.kind === "StatefulSet") {
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    fillInPod(spec.template.spec);
    if (object.kind === "StatefulSet") {
      spec.persistentVolumeClaimRetentionPolicy ??= { whenDeleted: "Retain", whenScaled: "Retain" };
      if (spec.updateStrategy?.type === "RollingUpdate") {
        spec.updateStrategy.rollingUpdate ??= { partition: 0 };
      }
    }
    object.status ??= { replicas: 0 };
  }
  if (object.kind === "Secret") object.type ??= "Opaque";
  return object;
}

// deno-lint-ignore no-explicit-any -- a pod's spec as it comes
function fillInPod(pod: any): void {
  pod.restartPolicy ??= "Always";
  pod.dnsPolicy ??= "ClusterFirst";
  pod.schedulerName ??= "default-scheduler";
  pod.terminationGracePeriodSeconds ??= 30;
  pod.serviceAccount ??= pod.serviceAccountName;
  for (const container of pod.containers) {
    container.imagePullPolicy ??= /:latest$|^[^:]+$/.test(container.image)
      ? "Always"
      : "IfNotPresent";
    container.terminationMessagePath ??= "/dev/termination-log";
    container.terminationMessagePolicy ??= "File";
    for (const kind of ["startupProbe", "readinessProbe", "livenessProbe"]) {
      if (container[kind]) container[kind].successThreshold ??= 1;
    }
    const { limits, requests = {} } = container.resources ?? {};
    if (limits) container.resources.requests = { ...limits, ...requests };
  }
}

function quantity(text: string): number {
  const [, number, unit = ""] = /^([\d.]+)(.*)$/.exec(String(text)) ?? [];
  const factor: Record<string, number> = { m: 1e-3, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, "": 1 };
  return Number(number) * (factor[unit] ?? 1);
}
