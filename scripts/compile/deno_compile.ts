/**
 * `deno compile` on what was staged.
 *
 * @module
 */

import { basename, join } from "@std/path";
import { ENTRY } from "./stage.ts";
import type { Target } from "./targets.ts";

/** What is compiled. */
export interface DenoCompileOptions {
  /** The folder that {@linkcode stageCode} and {@linkcode stageFiles} filled. */
  readonly stage: string;
  /** The executable to make. */
  readonly file: string;
  readonly target: Target;
  /** Files that are to lie between the base and what Deno has compiled, one after the other. */
  readonly before: readonly string[];
}

/** How what Deno has appended to the base begins. */
const MAGIC = new TextEncoder().encode("d3n0l4nd");

/** What Deno says of a base that it could not download. */
const NO_BASE = /Setting up base binary|denort/i;

const FLAGS = [
  "--allow-all",
  "--unstable-net",
  "--no-check",
  "--no-config",
  "--no-lock",
  // all is bundled
  "--no-npm",
  "--no-remote",
  // it would be kept under a name that everybody can guess in the folder of temporary files, where
  // somebody else could put code; and the start gains nothing by it
  "--no-code-cache",
];

/**
 * Makes sure that there is a base, before all else is made: Deno downloads it when it compiles anything.
 *
 * @throws {Error} How to supply one, where it cannot be downloaded.
 */
export async function ensureBase(target: Target): Promise<void> {
  // whoever names one has been told if it is not there
  if (Deno.env.get("DENORT_BIN")) return;
  const folder = await Deno.makeTempDir({ prefix: "mp-compile-" });
  try {
    const entry = join(folder, "empty.js");
    await Deno.writeTextFile(entry, "");
    await compile([...FLAGS, "--output", join(folder, "empty"), "--target", target.name, entry], {
      cwd: folder,
      target,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function compile(
  args: readonly string[],
  { cwd, target }: { readonly cwd: string; readonly target: Target },
): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", ...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  if (!success) throw failure(new TextDecoder().decode(stderr).trim(), target);
}

/**
 * Makes an executable, in a place of its own first, so that a running one is replaced and never changed.
 *
 * @throws {Error} What Deno says; where its base cannot be downloaded, how to supply one.
 */
export async function denoCompile(
  { stage, file, target, before }: DenoCompileOptions,
): Promise<void> {
  const fresh = await Deno.makeTempDir({ prefix: "mp-compile-" });
  try {
    const made = join(fresh, basename(file));
    await compile([
      ...[...FLAGS, "--include", stage, "--output", made],
      ...["--target", target.name, join(stage, ENTRY)],
    ], { cwd: stage, target });
    await moveTo(made, file, before);
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

async function moveTo(from: string, to: string, before: readonly string[]): Promise<void> {
  const beside = `${to}.new`;
  if (before.length === 0) await Deno.copyFile(from, beside);
  else await insert(await Deno.readFile(from), beside, before);
  await Deno.rename(beside, to);
}

/** Writes an executable with files before what Deno has appended, whose length stands at its end. */
async function insert(
  made: Uint8Array,
  file: string,
  before: readonly string[],
): Promise<void> {
  const view = new DataView(made.buffer, made.byteOffset, made.byteLength);
  const start = made.length - Number(view.getBigUint64(made.length - 8, true));
  if (!MAGIC.every((byte, i) => made[start + i] === byte)) {
    throw new Error("Cannot compile: this version of Deno makes executables in another way");
  }
  using out = await Deno.open(file, { write: true, create: true, truncate: true, mode: 0o755 });
  const writer = out.writable.getWriter();
  await writer.write(made.subarray(0, start));
  for (const path of before) await writer.write(await Deno.readFile(path));
  await writer.write(made.subarray(start));
  await writer.close();
}

function failure(said: string, { name }: Target): Error {
  const [why] = said.split("\n\nStack backtrace:");
  if (Deno.env.get("DENORT_BIN") || !NO_BASE.test(said)) return new Error(why);
  return new Error(
    `${why}\n\nCannot compile: the base executable of ${name} cannot be downloaded\n` +
      "Set DENORT_BIN to the path of a denort of this version of Deno, " +
      `from the release v${Deno.version.deno} of github.com/denoland/deno`,
  );
}
