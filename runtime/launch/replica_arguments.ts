/**
 * The arguments by which the executable is started as a replica.
 *
 * @module
 */

/** The first argument that makes the executable a replica, or the process that loads a script. */
export const REPLICA_ARGUMENT = "__replica";

/** What stands before the address of the inspector, in an argument after the first, as Deno has it. */
export const INSPECT_OPTION = "--inspect=";
