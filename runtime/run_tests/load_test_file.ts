/**
 * Bundles a test file and evaluates it, which defines its tests.
 *
 * @module
 */

import { dirname, join, toFileUrl } from "@std/path";
import { ownFolder } from "../own_files.ts";
import { bundleScript } from "../script/bundle.ts";
import type { CanonicalForm } from "../script/canonical.ts";
import { nodeBuiltin, scriptMeta } from "../script/instance.ts";
import { GIVEN } from "../script/resolve.ts";
import { scriptConfig } from "../script/script_config.ts";
import { installStackMapping } from "../script/stack.ts";
import { scriptApi } from "../topology/api.ts";
import { directHost } from "../topology/direct_host.ts";
import { testGlobals } from "./test_globals.ts";
import { type TestRegister, testRegister } from "./test_register.ts";
import { makeTemporaryFolder } from "../user_folders.ts";

/** Modules that the program gives to tests, by the names under which they are imported. */
export type TestModules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A file that has defined its tests. */
export interface LoadedTestFile {
  readonly register: TestRegister;
  /** The timers that wait now. */
  readonly timers: ReadonlySet<unknown>;
  /** Whether `deno.json` says that what tests leave is an error. */
  readonly sanitizeOps: boolean;
}

/** The name of the scripting API. */
const API = "@metaparticle/mp";

/** @throws {MpError} What is wrong with it; whatever it throws at its top level. */
export async function loadTestFile(file: string, modules: TestModules): Promise<LoadedTestFile> {
  const bundle = await bundleScript(file, {
    modules: Object.keys(modules).filter((name) => name !== API),
  });
  const folder = makeTemporaryFolder("mp-test-");
  let form: CanonicalForm;
  const path = join(folder, "bundle.mjs");
  const url = toFileUrl(path).href;
  try {
    await Deno.writeTextFile(path, bundle.code);
    form = (await import(url) as { default: CanonicalForm }).default;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  installStackMapping({
    bundleUrl: url,
    map: () => bundle.map,
    root: dirname(bundle.script),
    // the program's own frames, which say nothing about the test
    runtimeUrl: ownFolder.href,
  });
  const register = testRegister();
  const { globals, timers } = testGlobals(register.test);
  await form({
    // services of a script that the file imports are its own, as module state is
    api: { ...modules[API], ...scriptApi(directHost()).api },
    globals,
    builtin: (name) =>
      name.startsWith(GIVEN) ? modules[name.slice(GIVEN.length)] : nodeBuiltin(name),
    meta: { ...scriptMeta(bundle.script), main: false },
  });
  return { register, timers, sanitizeOps: scriptConfig(dirname(bundle.script)).sanitizeOps };
}
