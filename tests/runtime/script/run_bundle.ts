/**
 * Bundles a script and evaluates it in this process.
 *
 * @module
 */

import { basename, dirname, join, toFileUrl } from "@std/path";
import { type Bundle, bundleScript, stopBundler } from "../../../runtime/script/bundle.ts";
import type { CanonicalForm, InstanceEnvironment } from "../../../runtime/script/canonical.ts";

/** What a script exports, and the bundle it came from. */
export interface Ran {
  readonly bundle: Bundle;
  readonly exports: Record<string, unknown>;
  readonly form: CanonicalForm;
}

/** Bundles a script, and lets go of esbuild's process. */
export async function bundleOnce(script: string): Promise<Bundle> {
  try {
    return await bundleScript(script);
  } finally {
    await stopBundler();
  }
}

/** Bundles a script and evaluates it once; `environment` overrides what it sees. */
export async function runBundle(
  script: string,
  environment: Partial<InstanceEnvironment> = {},
): Promise<Ran> {
  const bundle = await bundleOnce(script);
  const form = await importForm(bundle);
  return { bundle, form, exports: await form({ ...environmentOf(bundle.script), ...environment }) };
}

/** What a script sees in these tests. */
export function environmentOf(script: string): InstanceEnvironment {
  const url = toFileUrl(script).href;
  return {
    api: { isApi: true },
    globals: globalThis,
    builtin(name) {
      const module = process.getBuiltinModule(name);
      if (module === undefined) throw new Error(`no built-in module ${name}`);
      return module;
    },
    meta: {
      url,
      filename: script,
      dirname: dirname(script),
      main: true,
      resolve: (specifier) => new URL(specifier, url).href,
    },
  };
}

async function importForm({ code, script, hash }: Bundle): Promise<CanonicalForm> {
  const path = join(dirname(script), `${basename(script)}.${hash.slice(0, 8)}.mjs`);
  await Deno.writeTextFile(path, code);
  return (await import(toFileUrl(path).href) as { default: CanonicalForm }).default;
}
