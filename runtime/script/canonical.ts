/**
 * The canonical form of a bundle: a function of its environment, so that several replicas can live in
 * one process with module state, clock, randomness and registry of their own. Types only.
 *
 * @module
 */

/** The default export of a bundle. Calling it evaluates the topology script once more. */
export type CanonicalForm = (environment: InstanceEnvironment) => Promise<Record<string, unknown>>;

/** What one evaluation of a bundle gets to see. */
export interface InstanceEnvironment {
  /** The scripting API, bound to this instance's registry: what `import * as mp` gives. */
  readonly api: Readonly<Record<string, unknown>>;
  /** The globals of the instance; `globalThis` outside of simulations. */
  readonly globals: object;
  /** A built-in module of Node by its bare name, `fs/promises`, loaded when asked for. */
  builtin(name: string): unknown;
  /** What `import.meta` is in the script. */
  readonly meta: ScriptMeta;
}

/** `import.meta` as a script sees it, and `__filename`, `__dirname`. */
export interface ScriptMeta {
  readonly url: string;
  readonly filename: string;
  readonly dirname: string;
  readonly main: boolean;
  resolve(specifier: string): string;
}
