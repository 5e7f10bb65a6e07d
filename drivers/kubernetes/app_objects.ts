/**
 * The objects of an app in a namespace: applied, found by their labels, removed.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Kind } from "./api/resources.ts";
import { idOf, type KubeClient, nameOf } from "./api/kube_client.ts";
import { atOnce } from "./at_once.ts";
import type { KubeObject } from "./kube_object.ts";
import { LABEL, MANAGER, selectorOf } from "./labels.ts";

/** Every kind that the driver makes; what has pods comes first. */
const KINDS: readonly Kind[] = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  { apiVersion: "v1", kind: "ConfigMap" },
  { apiVersion: "v1", kind: "Secret" },
  { apiVersion: "v1", kind: "ServiceAccount" },
];

/** How many requests are made at once. */
const MOST = 8;

/** What is done with objects of one app. */
export interface AppObjectsOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly app: string;
}

/** Objects of one app. */
export class AppObjects {
  #options: AppObjectsOptions;

  constructor(options: AppObjectsOptions) {
    this.#options = options;
  }

  /** An object as it is here. */
  here(object: KubeObject): KubeObject {
    return { ...object, metadata: { ...object.metadata, namespace: this.#options.namespace } };
  }

  /**
   * Refuses objects whose names others have.
   *
   * @returns Those that are there already.
   * @throws {MpError} `cluster_refused`.
   */
  async checkOwn(objects: readonly KubeObject[], signal?: AbortSignal): Promise<KubeObject[]> {
    const { client, app, namespace } = this.#options;
    const there = await atOnce(objects, MOST, async (object) => {
      const found = await client.get(idOf(this.here(object)), signal);
      if (found === undefined || this.isOwn(found)) return found;
      throw new MpError(
        "cluster_refused",
        `Cannot apply ${
          nameOf(idOf(object))
        }: there is one of that name in namespace "${namespace}", ` +
          `and mp did not make it for app "${app}"`,
        { next: "Give the app another name with --name, or run it in another --namespace" },
      );
    });
    return there.filter((one) => one !== undefined);
  }

  /** Whether an object was made for this app. */
  isOwn({ metadata: { labels = {} } }: KubeObject): boolean {
    return labels[LABEL.managedBy] === MANAGER &&
      labels[LABEL.app] === selectorOf({ app: this.#options.app })[LABEL.app];
  }

  /** Applies objects, in their order where they depend on each other: by kind. */
  async apply(
    objects: readonly KubeObject[],
    options: { readonly dryRun?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<KubeObject[]> {
    return await atOnce(
      objects,
      MOST,
      (object) => this.#options.client.apply(this.here(object), options),
    );
  }

  /** All objects of the app, or of one tree. */
  async list(tree?: string, signal?: AbortSignal): Promise<KubeObject[]> {
    const { client, app, namespace } = this.#options;
    const labels = { ...selectorOf({ app, tree }), [LABEL.managedBy]: MANAGER };
    const lists = await atOnce(KINDS, MOST, async (kind) => {
      const { items } = await client.list(kind, { namespace, labels, signal });
      return items;
    });
    return lists.flat();
  }

  /** Deletes objects; those that are gone are well. */
  async delete(objects: readonly KubeObject[], signal?: AbortSignal): Promise<void> {
    await atOnce(
      objects,
      MOST,
      (object) => this.#options.client.delete(idOf(this.here(object)), signal),
    );
  }
}
