/**
 * The executable for the tests that run it.
 *
 * @module
 */

import { join } from "@std/path";

/** An executable, or why there is none. */
export type TestExecutable =
  | { readonly file: string; readonly folder: string }
  | { readonly absent: string };

/** Names the executable that tests run. */
export const EXECUTABLE_VARIABLE = "MP_TEST_EXECUTABLE";
/** Says why there is none. */
export const ABSENT_VARIABLE = "MP_TEST_NO_EXECUTABLE";

/**
 * Makes it of the source tree, in a temporary folder.
 *
 * @param root The folder of the source tree.
 * @returns Nothing but the reason where there is no base: `DENORT_BIN` names none, and none can be downloaded.
 */
export async function testExecutable(root: string, signal: AbortSignal): Promise<TestExecutable> {
  const folder = await Deno.makeTempDir({ prefix: "mp-executable-" });
  const file = join(folder, Deno.build.os === "windows" ? "mp.exe" : "mp");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(root, "scripts/compile.ts"), "--output", file],
    cwd: root,
    env: { NO_COLOR: "1", INIT_CWD: "" },
    stdin: "null",
    stdout: "null",
    signal,
  }).output();
  if (success) return { file, folder };
  await Deno.remove(folder, { recursive: true });
  const said = new TextDecoder().decode(stderr).trim();
  const noBase = /^Cannot compile: (the base executable .*)$/m.exec(said)?.[1];
  // what is wrong with the program itself must not go unseen
  if (noBase === undefined && !signal.aborted) throw new Error(said);
  return { absent: `${noBase ?? "interrupted"}, and DENORT_BIN names none` };
}
