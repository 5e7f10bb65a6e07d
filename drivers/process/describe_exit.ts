/**
 * How a process ended, in words.
 *
 * @module
 */

/** `exited with 1`, `killed by SIGKILL`. */
export function describeExit(
  { code, signal }: Pick<Deno.CommandStatus, "code" | "signal">,
): string {
  return signal === null ? `exited with ${code}` : `killed by ${signal}`;
}
