import { assertEquals, assertMatch } from "@std/assert";
import config from "../../../deno.json" with { type: "json" };
import { TARGETS } from "../../../scripts/compile/targets.ts";

const version = config.imports.esbuild.split("@").at(-1)!;
interface LockedPackage {
  readonly integrity: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

const lock = JSON.parse(
  await Deno.readTextFile(new URL("../../../deno.lock", import.meta.url)),
) as { readonly npm: Readonly<Record<string, LockedPackage | undefined>> };

/** As npm names the systems of a package. */
const SYSTEMS: Readonly<Record<string, readonly [os: string, cpu: string]>> = {
  "x86_64-unknown-linux-gnu": ["linux", "x64"],
  "aarch64-unknown-linux-gnu": ["linux", "arm64"],
  "x86_64-apple-darwin": ["darwin", "x64"],
  "aarch64-apple-darwin": ["darwin", "arm64"],
  "x86_64-pc-windows-msvc": ["win32", "x64"],
};

Deno.test("TARGETS names for each system the package of esbuild that runs on it, which deno.lock checks", () => {
  assertEquals(TARGETS.map(({ name }) => name), Object.keys(SYSTEMS));
  for (const { name, esbuild, esbuildPath, suffix, isElf } of TARGETS) {
    const locked = lock.npm[`${esbuild}@${version}`];
    assertMatch(locked?.integrity ?? "", /^sha512-/, name);
    const [os, cpu] = SYSTEMS[name]!;
    assertEquals([locked?.os, locked?.cpu], [[os], [cpu]], name);
    assertEquals([suffix, isElf], [os === "win32" ? ".exe" : "", os === "linux"], name);
    assertEquals(esbuildPath.endsWith(".exe"), os === "win32", name);
  }
});
