/**
 * esbuild's native program for a system, from its npm package.
 *
 * @module
 */

import { join } from "@std/path";
import type { Target } from "./targets.ts";

/**
 * Gets the program by Deno's npm client, which checks the package against `deno.lock`.
 *
 * @param root The folder of the source tree.
 * @param version The version of esbuild.
 * @returns The path of the program in Deno's cache.
 * @throws {Error} When the package cannot be had.
 */
export async function esbuildProgram(
  root: string,
  { esbuild, esbuildPath }: Target,
  version: string,
): Promise<string> {
  const specifier = `npm:${esbuild}@${version}`;
  const folder = await Deno.makeTempDir({ prefix: "mp-compile-" });
  try {
    // a copy, for Deno would note the package in it
    const lock = join(folder, "deno.lock");
    await Deno.copyFile(join(root, "deno.lock"), lock);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--quiet", "--no-config", `--lock=${lock}`, specifier],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    const packages = success ? JSON.parse(decoder.decode(stdout)).npmPackages : {};
    const path = packages?.[`${esbuild}@${version}`]?.localPath;
    if (typeof path === "string") return join(path, esbuildPath);
    throw new Error(
      `Cannot get ${specifier}: ${decoder.decode(stderr).trim() || "no such package"}`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
