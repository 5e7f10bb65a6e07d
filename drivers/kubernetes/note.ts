/**
 * What is kept in the cluster so that another launcher can take a deployment up. It may hold passwords, so it is
 * a Secret. Pure.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import type { DeploymentNote } from "../../runtime/launch/driver.ts";
import { kubeName } from "./kube_name.ts";
import type { KubeObject } from "./kube_object.ts";
import { type TreeContext, treeMeta } from "./objects/object_meta.ts";

/** The label of notes. */
export const NOTE_LABEL = "metaparticle.io/note";
const NOTE_FILE = "note.json.gz";

/** The Secret of a note. */
export function noteSecret(note: DeploymentNote, context: TreeContext): KubeObject {
  const metadata = treeMeta(kubeName([context.app, "note", context.tree]), context);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadata, labels: { ...metadata.labels, [NOTE_LABEL]: "true" } },
    type: "Opaque",
    data: { [NOTE_FILE]: gzipSync(JSON.stringify(note)).toString("base64") },
  };
}

/** The note in a Secret; nothing when it is not one, or another version wrote it. */
export function readNote({ data }: KubeObject): DeploymentNote | undefined {
  try {
    const packed = Buffer.from(data![NOTE_FILE]!, "base64");
    const note = JSON.parse(gunzipSync(packed).toString("utf8")) as DeploymentNote;
    return note.handle && note.order && note.book ? note : undefined;
  } catch {
    return undefined;
  }
}
