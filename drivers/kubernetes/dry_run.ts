/**
 * What a launch would make, as the cluster itself says it.
 *
 * @module
 */

import { idOf, nameOf } from "./api/kube_client.ts";
import { AppObjects } from "./app_objects.ts";
import type { KubeObject } from "./kube_object.ts";
import { allObjects, type KubernetesManifest } from "./manifest.ts";
import { SECRET_FILE } from "./objects/secrets.ts";
import type { Cluster } from "./open_cluster.ts";

/** Applies everything without effect. @returns A line for each object. @throws {MpError} What is refused. */
export async function dryRun(
  manifest: KubernetesManifest,
  { client, namespace }: Cluster,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  try {
    if (manifest.problem) throw manifest.problem;
    const objects = new AppObjects({ client, namespace, app: manifest.app });
    const all = allObjects(manifest);
    const there = await objects.checkOwn(all, signal);
    const known = new Map(there.map((one) => [nameOf(idOf(one)), one]));
    // what replicas prove to each other is another secret each time, and stays with its tree
    const stays = (one: KubeObject) =>
      known.get(nameOf(idOf(one)))?.immutable || one.data?.[SECRET_FILE] !== undefined;
    const made = all.filter((one) => !known.has(nameOf(idOf(one))) || !stays(one));
    const applied = new Map(
      (await objects.apply(made, { dryRun: true, signal })).map((one) => [nameOf(idOf(one)), one]),
    );
    return all.map((one) => {
      const name = nameOf(idOf(one));
      const before = known.get(name);
      const after = applied.get(name);
      const what = before === undefined ? "would be made" : after &&
          JSON.stringify(after.spec ?? after.data) !== JSON.stringify(before.spec ?? before.data)
        ? "would be changed"
        : "would stay";
      return `${name} ${what}`;
    });
  } finally {
    client.close();
  }
}
