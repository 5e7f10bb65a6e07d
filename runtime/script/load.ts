/**
 * The load stage as its caller sees it: bundle → plan, or a program that runs.
 *
 * A script is evaluated in a child process with a time limit, never in the launcher. The child is
 * started before the bundle exists, and boots while esbuild works.
 *
 * @module
 */

import type { ReplicaCommand } from "../launch/driver.ts";
import type { Plan } from "../plan/plan.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import type { Widths } from "../topology/walk.ts";
import { ChildLoader } from "./child_loader.ts";
import type { OnOutput } from "./held_output.ts";

/** Options of {@linkcode startLoader}. */
export interface LoaderOptions {
  /** How a process that runs the serving half is started. */
  readonly command: ReplicaCommand;
  /** The script's own arguments. */
  readonly args?: readonly string[];
  /** Environment variables besides this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder. Default: this process's. */
  readonly cwd?: string;
  /** The standard input of a program. Default: `null`. */
  readonly stdin?: "inherit" | "null";
  /** How long the top level of a script may take, in milliseconds. Default: 10,000. */
  readonly timeLimit?: number;
  /** Kills the child while it is being loaded. A program is ended by its `kill()`. */
  readonly signal?: AbortSignal;
  /** Gets what a program prints, and what a script printed that could not be loaded. */
  readonly onOutput?: OnOutput;
}

/** What is to be loaded, and the names and numbers that go into the plan. */
export interface LoadRequest {
  /** The bundle in its canonical form, a file. */
  readonly bundle: string;
  readonly sourceMap: string;
  /** The script, absolute. */
  readonly script: string;
  /** The hash of the bundle. */
  readonly hash: string;
  /** Whether the script may make services; one that cannot is a program from the start. Default: `true`. */
  readonly mayServe?: boolean;
  /** Whether it may use scopes. Default: `false`. */
  readonly mayUseScopes?: boolean;
  /** `--name`. */
  readonly name?: string;
  /** `--replicas`. */
  readonly widths?: Widths;
}

/** What a script turned out to be. */
export type Loaded =
  | {
    readonly kind: "topology";
    readonly plan: Plan;
    /** Where its scopes live, if it may use any. */
    readonly storage?: StorageConfig;
  }
  | { readonly kind: "program"; readonly program: Program };

/** A script that made no service; it runs in the process that loaded it. */
export interface Program {
  readonly pid: number;
  /** Resolves when it has ended and all that it printed has been handed on. */
  readonly status: Promise<Deno.CommandStatus>;
  /** Sends it a signal, if it still runs. */
  kill(signal: Deno.Signal): void;
}

/** A child that waits for a script to load. */
export interface Loader extends AsyncDisposable {
  /**
   * Loads a script; to be called once. The child has ended afterwards, unless it is a program.
   *
   * @throws {MpError} `script_failed`, `script_timeout`, `topology_invalid`, `usage`, `launch_failed`.
   */
  load(request: LoadRequest): Promise<Loaded>;
}

/** Loads one script; see {@linkcode startLoader} for one whose bundle does not exist yet. */
export async function loadScript(request: LoadRequest, options: LoaderOptions): Promise<Loaded> {
  await using loader = startLoader(options);
  return await loader.load(request);
}

/** Starts a child that will load a script. Dispose of it when it is not needed any more. */
export function startLoader(options: LoaderOptions): Loader {
  return new ChildLoader(options);
}
