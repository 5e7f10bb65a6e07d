/**
 * The systems for which the executable is made.
 *
 * @module
 */

/** A system. */
export interface Target {
  /** As `deno compile` names it. */
  readonly name: string;
  /** The npm package that has esbuild's native program for it. */
  readonly esbuild: string;
  /** Where the program lies in the package. */
  readonly esbuildPath: string;
  /** Whether its programs may have data between the base and what Deno has appended. */
  readonly isElf: boolean;
  /** What names of programs end with. */
  readonly suffix: "" | ".exe";
}

/** Every system. */
export const TARGETS: readonly Target[] = [
  { name: "x86_64-unknown-linux-gnu", ...onUnix("linux-x64", true) },
  { name: "aarch64-unknown-linux-gnu", ...onUnix("linux-arm64", true) },
  { name: "x86_64-apple-darwin", ...onUnix("darwin-x64", false) },
  { name: "aarch64-apple-darwin", ...onUnix("darwin-arm64", false) },
  {
    name: "x86_64-pc-windows-msvc",
    esbuild: "@esbuild/win32-x64",
    esbuildPath: "esbuild.exe",
    isElf: false,
    suffix: ".exe",
  },
];

function onUnix(platform: string, isElf: boolean): Omit<Target, "name"> {
  return { esbuild: `@esbuild/${platform}`, esbuildPath: "bin/esbuild", isElf, suffix: "" };
}
