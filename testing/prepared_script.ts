/**
 * A topology script, bundled and loaded into this process; done once for the same files.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LoadedForm, loadForm } from "../drivers/memory/load_form.ts";
import type { OrderedBundle } from "../runtime/launch/launcher.ts";
import { type Bundle, bundleScript, stopBundler } from "../runtime/script/bundle.ts";

/** A script in this process. */
export interface PreparedScript {
  readonly bundle: OrderedBundle;
  readonly loaded: LoadedForm;
}

interface Known extends PreparedScript {
  readonly inputs: readonly string[];
  readonly stamp: string;
}

const known = new Map<string, Known>();

/**
 * Bundles and loads a script, unless that was done before and none of its files has changed.
 *
 * @param script A path or a `file:` URL.
 * @throws {MpError} Whatever is wrong with it.
 */
export async function prepareScript(script: string | URL): Promise<PreparedScript> {
  const path = pathOf(script);
  const before = known.get(path);
  if (before !== undefined && before.stamp === stampOf(before.inputs)) return before;
  // the bundler is a process; a test that left it running would be told of a leak
  const bundle = await bundleScript(path).finally(stopBundler);
  const { inputs } = bundle;
  const entry = { bundle, inputs, stamp: stampOf(inputs), loaded: await load(bundle) };
  known.set(path, entry);
  return entry;
}

/** The path of a script. @throws {TypeError} For what is neither a path nor a `file:` URL. */
export function pathOf(script: string | URL): string {
  const text = String(script);
  if (text.startsWith("file:")) return fileURLToPath(text);
  if (script instanceof URL || text === "" || /^[a-z][a-z0-9+.-]+:/i.test(text)) {
    throw new TypeError(
      `Cannot start ${JSON.stringify(text)}: give the path of a topology script, or its file: URL`,
    );
  }
  return text;
}

async function load({ code, map, script }: Bundle): Promise<LoadedForm> {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    const files = { bundle: join(folder, "bundle.mjs"), sourceMap: join(folder, "bundle.mjs.map") };
    await Promise.all([
      Deno.writeTextFile(files.bundle, code),
      Deno.writeTextFile(files.sourceMap, map),
    ]);
    return await loadForm({ ...files, script });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Changes when one of the files does. */
function stampOf(files: readonly string[]): string {
  return files.map((file) => {
    try {
      const { size, mtime } = Deno.statSync(file);
      return `${size}:${mtime?.getTime()}`;
    } catch {
      return "gone";
    }
  }).join(" ");
}
