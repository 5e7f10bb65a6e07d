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
  /** What names of programs end with. */
  readonly suffix: "" | ".exe";
}

/** Every system. */
export const TARGETS: readonly Target[] = [
  { name: "x86_64-unknown-linux-gnu", ...onUnix("linux-x64") },
  { name: "aarch64-unknown-linux-gnu", ...onUnix("linux-arm64") },
  { name: "x86_64-apple-darwin", ...onUnix("darwin-x64") },
  { name: "aarch64-apple-darwin", ...onUnix("darwin-arm64") },
  {
    name: "x86_64-pc-windows-msvc",
    esbuild: "@esbuild/win32-x64",
    esbuildPath: "esbuild.exe",
    suffix: ".exe",
  },
];

function onUnix(platform: string): Omit<Target, "name"> {
  return { esbuild: `@esbuild/${platform}`, esbuildPath: "bin/esbuild", suffix: "" };
}
