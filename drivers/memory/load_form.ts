/**
 * Loads a bundle into this process, once.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { DeploymentFiles } from "../../runtime/launch/driver.ts";
import { ownFolder } from "../../runtime/own_files.ts";
import type { CanonicalForm } from "../../runtime/script/canonical.ts";
import { installStackMapping } from "../../runtime/script/stack.ts";

/** A bundle that has been loaded. */
export interface LoadedForm {
  readonly form: CanonicalForm;
  /** SHA-256 of its code, in hexadecimal digits. */
  readonly hash: string;
}

// a module that was imported is never freed, so none is imported twice
const loaded = new Map<string, LoadedForm>();

/** Loads a bundle; stacks of errors that are thrown in it show the user's own lines. */
export async function loadForm(
  { bundle, sourceMap, script }: DeploymentFiles,
): Promise<LoadedForm> {
  const code = await Deno.readFile(bundle);
  const hash = createHash("sha256").update(code).digest("hex");
  const known = loaded.get(hash);
  if (known !== undefined) return known;
  const url = pathToFileURL(bundle).href;
  // the file may be gone when an error is thrown
  const map = await Deno.readTextFile(sourceMap).catch(() => undefined);
  const { default: form } = await import(url) as { default: CanonicalForm };
  if (map !== undefined) {
    installStackMapping({
      bundleUrl: url,
      map: () => map,
      root: dirname(script),
      runtimeUrl: new URL("runtime/", ownFolder).href,
    });
  }
  const entry = { form, hash };
  loaded.set(hash, entry);
  return entry;
}
