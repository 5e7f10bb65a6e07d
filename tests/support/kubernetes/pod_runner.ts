/**
 * A stand-in for controllers and a node: the pods of StatefulSets and Deployments are child processes of this one,
 * each with an address of its own, its environment, and its mounts as folders.
 *
 * What a node does is done here as Kubernetes documents it, but sooner: images are there or not, containers that
 * end are started again, probes are asked, files follow their ConfigMaps when the pod is looked at again.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { dirname, join } from "@std/path";
import { hash32 } from "../../../runtime/hash.ts";
import type { ReplicaCommand } from "../../../runtime/launch/driver.ts";
import type { ApiServer, LogQuery, PodHost } from "./api_server.ts";
import { now, type Stored } from "./object_store.ts";
import { PodNetwork } from "./pod_network.ts";
import { RunningPod } from "./running_pod.ts";

/** Options of {@linkcode PodRunner}. */
export interface PodRunnerOptions {
  readonly api: ApiServer;
  /** What a container of a known image runs. */
  readonly command: ReplicaCommand;
  /** Images that the node has. */
  readonly images: ReadonlySet<string>;
}

const WORKLOADS = ["deployments", "statefulsets"];

/** See the module's documentation. */
export class PodRunner implements PodHost, AsyncDisposable {
  readonly network: PodNetwork;
  readonly folder: string;
  /** How many pods the node takes. */
  capacity = Infinity;
  /** How many pods the namespace may have. */
  quota = Infinity;
  #options: PodRunnerOptions;
  #running = new Map<string, RunningPod>();
  #stop: () => void;
  #stopped = false;
  #count = 0;
  #ending = new Set<Promise<void>>();

  private constructor(options: PodRunnerOptions, folder: string) {
    this.#options = options;
    this.folder = folder;
    this.network = new PodNetwork(options.api.store);
    options.api.host = this;
    this.#stop = options.api.store.listen(({ type, collection, object }) => {
      if (this.#stopped) return;
      if (WORKLOADS.includes(collection)) queueMicrotask(() => this.#reconcile(collection, object));
      if (collection === "pods" && type === "DELETED") {
        const owner = object.metadata.ownerReferences?.[0];
        if (owner) queueMicrotask(() => this.#reconcileOwner(object.metadata.namespace!, owner));
      }
      if (collection === "pods" && type === "MODIFIED") {
        this.#running.get(object.metadata.uid)?.lookedAt(object);
        const owner = object.metadata.ownerReferences?.[0];
        if (owner) queueMicrotask(() => this.#reconcileOwner(object.metadata.namespace!, owner));
      }
    });
  }

  static async start(options: PodRunnerOptions): Promise<PodRunner> {
    return new PodRunner(options, await Deno.makeTempDir({ prefix: "mp-pods-" }));
  }

  async *logs(pod: Stored, query: LogQuery, signal: AbortSignal): AsyncIterable<string> {
    const running = this.#running.get(pod.metadata.uid);
    if (running) yield* running.logs(query, signal);
  }

  async connect(pod: Stored, port: number): Promise<Deno.Conn> {
    return await Deno.connect({ hostname: this.network.ipOf(pod), port });
  }

  terminate(pod: Stored): void {
    const running = this.#running.get(pod.metadata.uid);
    const ended = (async () => {
      await running?.terminate(pod.metadata.deletionGracePeriodSeconds ?? 30);
      this.#running.delete(pod.metadata.uid);
      this.#options.api.store.delete("pods", pod.metadata.namespace!, pod.metadata.name);
    })();
    this.#ending.add(ended);
    ended.finally(() => this.#ending.delete(ended));
  }

  /** What runs, by name of the pod. */
  get pods(): readonly RunningPod[] {
    return [...this.#running.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#stop();
    await Promise.all([...this.#running.values()].map((pod) => pod.kill()));
    await Promise.all(this.#ending);
    await this.network[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  #reconcileOwner(namespace: string, owner: { kind: string; name: string }): void {
    const collection = owner.kind === "Deployment" ? "deployments" : "statefulsets";
    const workload = this.#options.api.store.get(collection, namespace, owner.name);
    if (workload) this.#reconcile(collection, workload);
  }

  /** Makes pods that are missing and ends those that are too many. */
  #reconcile(collection: string, { metadata: { namespace = "", name, uid } }: Stored): void {
    if (this.#stopped) return;
    const { api } = this.#options;
    const workload = api.store.get(collection, namespace, name);
    const own = api.store.list("pods", namespace)
      .filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid);
    const alive = own.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (!workload || workload.metadata.uid !== uid) {
      for (const pod of alive) api.remove(pod);
      return;
    }
    const { replicas } = workload.spec;
    if (collection === "statefulsets") {
      for (const pod of alive) {
        if (Number(/-(\d+)$/.exec(pod.metadata.name)![1]) >= replicas) api.remove(pod);
      }
      // pods of another template are replaced one by one, from the last on
      const outdated = alive.filter((pod) => pod.metadata.labels![HASH] !== hashOf(workload));
      if (outdated.length > 0 && alive.length === own.length && own.every(isReady)) {
        api.remove(outdated.sort((a, b) => a.metadata.name < b.metadata.name ? 1 : -1)[0]!);
      }
      const names = new Set(own.map(({ metadata }) => metadata.name));
      for (let i = 0; i < replicas; i++) {
        if (!names.has(`${name}-${i}`)) this.#make(workload, `${name}-${i}`, i);
      }
    } else {
      // pods of another template end when there are enough of this one
      const current = alive.filter((pod) => pod.metadata.labels![HASH] === hashOf(workload));
      const outdated = alive.filter((pod) => !current.includes(pod));
      if (current.filter(isReady).length >= replicas) {
        for (const pod of outdated) api.remove(pod);
      }
      for (const pod of current.slice(replicas)) api.remove(pod);
      for (let i = current.length; i < replicas; i++) {
        this.#make(
          workload,
          `${name}-6b8f9c7d5-${(++this.#count).toString(36).padStart(5, "x")}`,
          undefined,
        );
      }
    }
  }

  #make(workload: Stored, name: string, index: number | undefined): void {
    const { api } = this.#options;
    const { namespace = "", uid } = workload.metadata;
    const there = api.store.list("pods", namespace).length;
    if (there >= this.quota) {
      const message =
        `pods "${name}" is forbidden: exceeded quota: few, requested: pods=1, used: pods=${there}, limited: pods=${this.quota}`;
      // by then the one who made it may not look any more
      if (!api.store.list("events", namespace).some((one) => one.message === message)) {
        api.event(workload, "FailedCreate", message);
      }
      return;
    }
    const template = structuredClone(workload.spec.template);
    const pod = api.store.put("pods", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...template.metadata,
        name,
        namespace,
        labels: {
          ...template.metadata.labels,
          [HASH]: hashOf(workload),
          ...(index !== undefined && {
            "apps.kubernetes.io/pod-index": String(index),
            "statefulset.kubernetes.io/pod-name": name,
          }),
        },
        ownerReferences: [{ uid, kind: workload.kind, name: workload.metadata.name }],
      },
      spec: template.spec,
      status: { phase: "Pending", conditions: [] },
    } as unknown as Stored);
    this.#schedule(pod, there);
  }

  #schedule(pod: Stored, there: number): void {
    const { api, images, command } = this.#options;
    const container = pod.spec.containers[0];
    const status = (status: Record<string, unknown>) => {
      const current = api.store.get("pods", pod.metadata.namespace!, pod.metadata.name);
      if (current?.metadata.uid !== pod.metadata.uid || this.#stopped) return;
      api.store.put("pods", { ...current, status: { ...current.status, ...status } });
    };
    if (there >= this.capacity) {
      return status({
        conditions: [{
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/1 nodes are available: 1 Too many pods.",
          lastTransitionTime: now(),
        }],
      });
    }
    const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: now() };
    if (!images.has(container.image)) {
      const waiting = (reason: string, message: string) => ({
        conditions: [scheduled],
        containerStatuses: [{
          name: container.name,
          ready: false,
          restartCount: 0,
          state: { waiting: { reason, message } },
        }],
      });
      const message = `failed to pull image "${container.image}": not found`;
      status(waiting("ErrImagePull", message));
      queueMicrotask(() =>
        status(
          waiting("ImagePullBackOff", `Back-off pulling image "${container.image}": ${message}`),
        )
      );
      return;
    }
    const running = new RunningPod({
      pod,
      command,
      ip: this.network.ipOf(pod),
      folder: join(this.folder, pod.metadata.uid),
      files: () => this.#files(pod),
      env: () => this.#env(pod),
      onStatus: (more) =>
        status({ ...more, conditions: [scheduled, ...(more.conditions as unknown[])] }),
    });
    this.#running.set(pod.metadata.uid, running);
    running.start();
  }

  /** What is mounted, by path from the root. */
  #files(pod: Stored): Record<string, string | Uint8Array> {
    const { store } = this.#options.api;
    const { namespace = "" } = pod.metadata;
    const files: Record<string, string | Uint8Array> = {};
    for (const { name, mountPath } of pod.spec.containers[0].volumeMounts) {
      const volume = pod.spec.volumes.find((one: { name: string }) => one.name === name);
      if (volume.emptyDir) files[`${mountPath}/.keep`] = "";
      for (const source of volume.projected?.sources ?? []) {
        const [kind, { name: from, items }] = Object.entries(source)[0] as [
          string,
          { name: string; items: { key: string; path: string }[] },
        ];
        const object = store.get(kind === "secret" ? "secrets" : "configmaps", namespace, from);
        if (!object) throw new Error(`${kind} "${from}" not found`);
        for (const { key, path } of items) {
          const text = object.data?.[key];
          const binary = object.binaryData?.[key];
          const value = binary !== undefined
            ? Buffer.from(binary, "base64")
            : kind === "secret"
            ? Buffer.from(text, "base64")
            : this.network.resolve(text, pod);
          files[join(mountPath, path)] = value;
        }
      }
    }
    return files;
  }

  #env(pod: Stored): Record<string, string> {
    const { store } = this.#options.api;
    const { namespace = "", name, labels = {} } = pod.metadata;
    const container = pod.spec.containers[0];
    const env: Record<string, string> = {};
    for (const { secretRef } of container.envFrom ?? []) {
      const secret = store.get("secrets", namespace, secretRef.name)!;
      for (const [key, value] of Object.entries(secret.data as Record<string, string>)) {
        env[key] = Buffer.from(value, "base64").toString("utf8");
      }
    }
    for (const { name: variable, value, valueFrom } of container.env ?? []) {
      const path = valueFrom?.fieldRef?.fieldPath;
      const label = /^metadata\.labels\['(.+)'\]$/.exec(path ?? "")?.[1];
      env[variable] = value?.replace(/\$\$\(/g, "$(") ??
        (path === "metadata.name"
          ? name
          : path === "status.podIP"
          ? this.network.ipOf(pod)
          : label
          ? labels[label] ?? ""
          : "");
    }
    return env;
  }
}

/** What tells pods of one template from those of another. */
const HASH = "pod-template-hash";

function hashOf({ spec }: Stored): string {
  return hash32(JSON.stringify(spec.template)).toString(16);
}

function isReady({ status }: Stored): boolean {
  return status?.conditions?.some((one: { type: string; status: string }) =>
    one.type === "Ready" && one.status === "True"
  ) ?? false;
}

/** Writes files below a folder, each at once. */
export function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): void {
  for (const [path, value] of Object.entries(files)) {
    const file = join(folder, path);
    Deno.mkdirSync(dirname(file), { recursive: true });
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    Deno.writeFileSync(`${file}.new`, bytes);
    Deno.renameSync(`${file}.new`, file);
  }
}
