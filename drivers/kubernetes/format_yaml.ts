/**
 * Objects as YAML. Pure.
 *
 * @module
 */

import { stringify } from "@std/yaml";
import type { KubeObject } from "./kube_object.ts";

/** One stream of documents, in the order given; the same each time. */
export function formatYaml(objects: readonly KubeObject[]): string {
  return objects.map((object) => `---\n${formatObject(object)}`).join("");
}

/** One document. */
export function formatObject(object: KubeObject): string {
  return stringify(object, { lineWidth: -1, useAnchors: false, skipInvalid: true });
}
