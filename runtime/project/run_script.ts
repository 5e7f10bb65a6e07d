/**
 * Programs of the source tree that make what the executable holds: they use the compiler of TypeScript, which
 * is no part of mp.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { MpError } from "../errors.ts";
import { ownFolder } from "../own_files.ts";

/**
 * Runs one of them.
 *
 * @param script Its path in the source tree.
 * @param folder Where it writes.
 * @throws {MpError} `launch_failed` with what it said.
 */
export async function runScript(script: string, folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", fileURLToPath(new URL(script, ownFolder)), folder],
    cwd: fileURLToPath(ownFolder),
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new MpError("launch_failed", `Cannot make it of the source tree by ${script}: ${said}`, {
    next: "Run it once with a network, for the packages to be downloaded",
  });
}
