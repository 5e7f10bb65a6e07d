/**
 * From a script to what can be launched: the stages bundle, load and plan.
 *
 * @module
 */

import { join } from "node:path";
import { MpError } from "../errors.ts";
import { type Bundle, bundleScript } from "../script/bundle.ts";
import { type Loaded, loadScript, startLoader } from "../script/load.ts";
import type { Plan } from "../plan/plan.ts";
import type { DeployOrder, OrderedBundle } from "./launcher.ts";
import { replicaCommand, servingHalf } from "./serving_half.ts";
import { makeTemporaryFolder, temporaryUnwritable } from "../user_folders.ts";

/** How a script is prepared. */
export interface PrepareOptions {
  /** The script's path. */
  readonly script: string;
  /** `--name`. */
  readonly name?: string;
  /** Counts by path, `--replicas`. */
  readonly widths: Readonly<Record<string, number>>;
  /** Environment variables besides this process's. */
  readonly env: Readonly<Record<string, string>>;
  /** What a program gets as its arguments. */
  readonly args?: readonly string[];
  /** Whether a program may read this process's stdin. */
  readonly stdin?: "inherit" | "null";
  readonly signal: AbortSignal;
  /** What is thrown when the script is a program; one that can make no service is not even begun. */
  readonly notProgram?: () => MpError;
  /** Gets what a program prints, and what a script printed that could not be loaded. */
  readonly onOutput?: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
}

/** A script that has been bundled and loaded. */
export type Prepared = Loaded & { readonly bundle: Bundle };

/**
 * Bundles and loads a script.
 *
 * @throws {MpError} Whatever is wrong with it; `interrupted` when `signal` aborts.
 */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { script, name, widths, env, args, stdin, signal, onOutput, notProgram } = options;
  try {
    const entry = await replicaEntry();
    // the child boots while esbuild works
    await using loader = startLoader({
      command: replicaCommand(entry),
      args,
      env,
      stdin,
      signal,
      onOutput,
    });
    const bundle = await bundleScript(script, { signal });
    if (!bundle.mayServe && notProgram) throw notProgram();
    await using files = await bundleFiles(bundle);
    const { hash, mayServe, mayUseScopes } = bundle;
    const loaded = await loader.load({
      ...files,
      script: bundle.script,
      hash,
      mayServe,
      mayUseScopes,
      name,
      widths,
    });
    if (loaded.kind === "program" && notProgram) {
      loaded.program.kill("SIGKILL");
      await loaded.program.status;
      throw notProgram();
    }
    return { ...loaded, bundle };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new MpError("interrupted", `Cannot run "${script}": it was interrupted`);
  }
}

/** Loads a bundle again for a plan with other counts. */
export async function replan(
  { bundle, plan, env, cwd }: DeployOrder,
  widths: Readonly<Record<string, number>>,
): Promise<Plan> {
  const entry = await replicaEntry();
  await using files = await bundleFiles(bundle);
  const { script, hash } = bundle;
  const loaded = await loadScript(
    { ...files, script, hash, name: plan.app, widths },
    { command: replicaCommand(entry), env, cwd },
  );
  if (loaded.kind === "topology") return loaded.plan;
  loaded.program.kill("SIGKILL");
  throw new MpError("script_failed", `Cannot plan "${plan.app}" again: it makes no service now`, {
    where: script,
    next: "Make the same services whenever the script is loaded",
  });
}

let entry: Promise<string> | undefined;

/** What replicas run; looked for once in a process. */
export function replicaEntry(): Promise<string> {
  return entry ??= servingHalf().then((half) => half.entry);
}

interface BundleFiles extends AsyncDisposable {
  readonly bundle: string;
  readonly sourceMap: string;
}

async function bundleFiles({ code, map }: OrderedBundle): Promise<BundleFiles> {
  const folder = makeTemporaryFolder("mp-bundle-");
  const bundle = join(folder, "bundle.mjs");
  const sourceMap = join(folder, "bundle.mjs.map");
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    await Promise.all([Deno.writeTextFile(bundle, code), Deno.writeTextFile(sourceMap, map)]);
  } catch (error) {
    await remove();
    throw temporaryUnwritable(error);
  }
  return { bundle, sourceMap, [Symbol.asyncDispose]: remove };
}
