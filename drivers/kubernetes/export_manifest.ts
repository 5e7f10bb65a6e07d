/**
 * A manifest as files for `kubectl apply -f`. Pure.
 *
 * @module
 */

import type { ExportedFile } from "../../runtime/launch/driver.ts";
import { formatYaml } from "./format_yaml.ts";
import { allObjects, type KubernetesManifest } from "./manifest.ts";

const HEAD = `# Made by mp export. Apply it with: kubectl apply -f FILE
# The Secret that its replicas prove to each other follows from the script; set MP_SECRET to choose another.
`;

/** One file, in the order in which objects need each other; the same for the same order. */
export function exportManifest(manifest: KubernetesManifest): readonly ExportedFile[] {
  return [{ path: `${manifest.app}.yaml`, text: HEAD + formatYaml(allObjects(manifest)) }];
}
