/**
 * What `mp` makes of its sources at its first runs and keeps, made once for all tests.
 *
 * @module
 */

import { basename, dirname, fromFileUrl, join } from "@std/path";
import { launchingHalf } from "../../runtime/launch/launching_half.ts";
import { findServingHalf } from "../../runtime/launch/serving_half.ts";

let found: Promise<readonly string[]> | undefined;

/** Puts it into a cache of a test's own, whose runs would otherwise begin by making it. */
export async function keepHalves(cache: string): Promise<void> {
  for (const folder of await (found ??= findHalves())) {
    const place = join(cache, "mp", basename(dirname(folder)));
    await Deno.mkdir(join(place, basename(folder)), { recursive: true, mode: 0o700 });
    for await (const { name } of Deno.readDir(folder)) {
      await Deno.copyFile(join(folder, name), join(place, basename(folder), name));
    }
  }
}

/** Their folders. @throws {Error} When they cannot be made. */
async function findHalves(): Promise<readonly string[]> {
  const kept = await look();
  if (kept.length === 2) return kept;
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-net", fromFileUrl(new URL("make_halves.ts", import.meta.url))],
    stdin: "null",
    stdout: "null",
  }).output();
  const made = await look();
  if (made.length === 2) return made;
  throw new Error(`Cannot make what mp is started with: ${new TextDecoder().decode(stderr)}`);
}

async function look(): Promise<string[]> {
  const [serving, launching] = [await findServingHalf(), await launchingHalf()];
  return [
    ...(serving === undefined ? [] : [serving.folder]),
    ...(launching === undefined ? [] : [dirname(launching)]),
  ];
}
