/**
 * Finds deployments by what is in the cluster alone.
 *
 * @module
 */

import type { DeploymentNote } from "../../runtime/launch/driver.ts";
import { statusOf } from "./api/api_error.ts";
import type { KubeObject } from "./kube_object.ts";
import { LABEL, MANAGER, selectorOf } from "./labels.ts";
import { NOTE_LABEL, readNote } from "./note.ts";
import type { Cluster } from "./open_cluster.ts";

/** A deployment that was found. */
export interface FoundNote {
  readonly note: DeploymentNote;
  readonly namespace: string;
}

const SECRET = { apiVersion: "v1", kind: "Secret" };
const SERVICE = { apiVersion: "v1", kind: "Service" };

/**
 * The deployments of a namespace, one an app.
 *
 * @param app Only this one.
 */
export async function findNotes(
  { client, namespace }: Cluster,
  app: string | undefined,
  signal?: AbortSignal,
): Promise<FoundNote[]> {
  const labels = {
    [LABEL.managedBy]: MANAGER,
    [NOTE_LABEL]: "true",
    ...(app !== undefined && selectorOf({ app })),
  };
  const { items } = await client.list(SECRET, { namespace, labels, signal }).catch((error) => {
    // a namespace that is not there has no deployments
    if (statusOf(error) === 404) return { items: [] };
    throw error;
  });
  if (items.length === 0) return [];
  const services = await client.list(SERVICE, {
    namespace,
    labels: { [LABEL.managedBy]: MANAGER, ...(app !== undefined && selectorOf({ app })) },
    signal,
  });
  const serving = new Set(services.items.flatMap(treeOfDoor));
  const byApp = Map.groupBy(items, ({ metadata }) => metadata.labels?.[LABEL.app] ?? "");
  return [...byApp.values()].flatMap((secrets) => {
    const notes = secrets.flatMap((secret) => {
      const note = readNote(secret);
      return note ? [{ note, tree: secret.metadata.labels?.[LABEL.tree] ?? "" }] : [];
    }).sort((a, b) => a.note.tree - b.note.tree);
    // where an update was cut off, the tree that serves is the deployment; without doors it is the one before
    const current = notes.find(({ tree }) => serving.has(tree)) ?? notes[0];
    return current ? [{ note: current.note, namespace }] : [];
  });
}

/** The tree whose pods a door's Service selects. */
function treeOfDoor({ metadata, spec }: KubeObject): string[] {
  if (metadata.labels?.[LABEL.tree] !== undefined) return [];
  const selector = spec?.selector as Record<string, string> | undefined;
  const tree = selector?.[LABEL.tree];
  return tree === undefined ? [] : [tree];
}
