/**
 * What the process that loads a script and the one that started it say to each other. Types only.
 *
 * The child is started before the bundle exists, with `MP_ROLE=load`. It dials `MP_SUPERVISOR`, gives
 * the notice `hello` with `MP_SECRET` as its body, and then answers one call, `load`, over a channel. So
 * nothing that is said travels over the child's standard streams, which are the script's own.
 *
 * @module
 */

import type { Code } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import type { Widths } from "../topology/walk.ts";

/** The request of the call `load`. */
export interface LoadOrder {
  /** The bundle in its canonical form, a file. */
  readonly bundle: string;
  readonly sourceMap: string;
  /** The script, absolute. */
  readonly script: string;
  /** The hash of the bundle. */
  readonly hash: string;
  /** `--name`. */
  readonly name?: string;
  /** `--replicas`. */
  readonly widths?: Widths;
  /**
   * Whether the script may make services. While one that may is loaded, storage refuses commits. One that
   * may not is a program: the reply comes at once, and its process takes as long as it wants.
   */
  readonly mayServe: boolean;
  /** Whether it may use scopes, so that where they live is chosen now. */
  readonly mayUseScopes: boolean;
}

/** The reply of the call `load`. */
export type LoadReply =
  | { readonly kind: "topology"; readonly plan: Plan; readonly storage?: StorageConfig }
  /** The script made no service; its process goes on by itself. */
  | { readonly kind: "program" }
  | { readonly kind: "failed"; readonly failure: LoadFailure };

/** Why a script could not be loaded. */
export interface LoadFailure {
  readonly code: Code;
  readonly message: string;
  readonly position?: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
  };
  /** What is wrong outside of the script, such as a variable. */
  readonly where?: string;
  readonly next?: string;
  /** The stack of what was thrown, with the user's lines. */
  readonly stack?: string;
}

/**
 * What the child leaves in the file `MP_EXIT_REPORT` when it ends before it has answered; a process that
 * ends has no time to send anything.
 */
export interface ExitReport {
  /** Whether the script had made services. */
  readonly services: boolean;
  /** What the script called to end its process, `Deno.exit(1)`; nothing when it only had nothing left to do. */
  readonly call?: string;
  readonly position?: LoadFailure["position"];
}
