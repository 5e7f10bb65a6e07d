/**
 * A command as data. Parsing, help and completions are all made from it.
 *
 * @module
 */

import type { ReplicaCommand } from "../launch/driver.ts";
import type { Drivers } from "../launch/drivers.ts";
import type { TestModules } from "../run_tests/load_test_file.ts";
import type { StorageDrivers } from "../storage/lazy_storage.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import type { Arguments } from "./argument.ts";
import type { Global } from "./global_options.ts";
import type { Options, Values } from "./option.ts";
import type { Output } from "./output.ts";

/** One command of the program, under a name. */
export interface Command<A extends Arguments = Arguments, O extends Options = Options>
  extends Declaration<A, O> {
  readonly name: string;
  readonly summary: string;
}

/** What a command takes and does. */
export interface Declaration<A extends Arguments = Arguments, O extends Options = Options> {
  /** Paragraphs that say what the summary does not. */
  readonly description: readonly string[];
  readonly arguments: A;
  readonly options: O;
  readonly examples: readonly Example[];
  /** What the words after `--` are; absent when they are arguments like those before. */
  readonly rest?: string;
  /**
   * Does it.
   *
   * @returns The exit status; nothing for 0.
   * @throws {MpError} Whose code gives the exit status.
   */
  run(context: CommandContext<A, O>): Promise<number | void>;
}

/** A command line to copy, and what it does. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

/** What a command gets. */
export interface CommandContext<A extends Arguments = Arguments, O extends Options = Options> {
  readonly arguments: Values<A>;
  readonly options: Values<O>;
  readonly global: Global;
  /** What stands after `--`. */
  readonly rest: readonly string[];
  readonly output: Output;
  readonly program: Program;
  /** Aborts when nobody reads the output any more. */
  readonly signal: AbortSignal;
}

/** What the program is made of. */
export interface Program {
  readonly version: string;
  /** Launch drivers by name. */
  readonly drivers: Drivers;
  /** Storages by name. */
  storages(): Promise<StorageDrivers>;
  /**
   * Looks whether a storage can be reached and keeps what it is given.
   *
   * @returns Warnings. @throws {MpError} `storage_unavailable` when it cannot be reached.
   */
  storageAdvice(config: StorageConfig, signal: AbortSignal): Promise<readonly string[]>;
  /** What tests may import besides their own files and packages, by name. */
  testModules(): Promise<TestModules>;
  readonly commands: readonly CommandEntry[];
  /** How this program is started. */
  readonly self: ReplicaCommand;
  /** Makes ahead what this program is started with, where it runs from source; see `launching_half.ts`. */
  keepForNext?(): Promise<void>;
  /** Who listens on a port, where that can be known. */
  portOwner(
    port: number,
  ): Promise<
    { readonly pid: number; readonly command: string; readonly app?: string } | undefined
  >;
  /** A variable of the environment; an empty one counts as absent. */
  env(name: string): string | undefined;
}

/** One row of the table of commands. The command itself is loaded when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  /** One line without a full stop, for the list of commands. */
  readonly summary: string;
  /** Whether the list of commands leaves it out. */
  readonly hidden?: boolean;
  load(): Promise<Command>;
}

/** Declares a command. The types of what `run()` gets follow from its arguments and options. */
export function command<A extends Arguments, O extends Options>(
  declaration: Declaration<A, O>,
): Declaration<A, O> {
  return Object.freeze(declaration);
}
