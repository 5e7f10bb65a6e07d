/**
 * Tests that need something of the machine, and what happens where it is not there.
 *
 * @module
 */

import { fail } from "@std/assert";
import { DELIMITER, join } from "@std/path";

/** Something that a test needs. */
export interface Need {
  /** Why it cannot be had here; `undefined` when it is there. */
  readonly absent?: string;
  /** Whether its absence is right on this system, so that not even CI can have it. */
  readonly elsewhere?: boolean;
}

/**
 * Defines a test that needs something.
 *
 * Where it is absent the test is skipped, and its name says why. With `CI=true` it fails instead, so that
 * nothing goes untested unseen; only what another system has is skipped even there.
 */
export function testWith(
  needs: Need | readonly Need[],
  name: string,
  fn: (t: Deno.TestContext) => void | Promise<void>,
) {
  const missing = [needs].flat().find(({ absent }) => absent !== undefined);
  if (missing === undefined) return Deno.test(name, fn);
  if (!missing.elsewhere && Deno.env.get("CI") === "true") {
    return Deno.test(name, () => fail(`Cannot test without what CI must have: ${missing.absent}`));
  }
  return Deno.test.ignore(`${name} [skipped: ${missing.absent}]`, fn);
}

/**
 * A program on the `PATH`.
 *
 * @param program Its name.
 * @param from How to get it, e.g. "apt-get install prometheus".
 */
export function needsProgram(program: string, from: string): Need {
  const folders = (Deno.env.get("PATH") ?? "").split(DELIMITER);
  const file = Deno.build.os === "windows" ? `${program}.exe` : program;
  const there = folders.some((folder) => isFile(join(folder, file)));
  return there ? {} : { absent: `no ${program} on the PATH; ${from}` };
}

/** One of some systems. */
export function needsSystem(...systems: readonly (typeof Deno.build.os)[]): Need {
  if (systems.includes(Deno.build.os)) return {};
  return { absent: `only for ${systems.join(", ")}`, elsewhere: true };
}

/** Whether a process may have disks of its own. */
export function needsMounts(): Need {
  const mount = "mount -t tmpfs -o size=4k tmpfs /mnt";
  try {
    const { success } = new Deno.Command("unshare", {
      args: ["-rm", "sh", "-c", mount],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    if (success) return {};
  } catch {
    // there is no such program
  }
  return { absent: "no mounts of one's own here", elsewhere: true };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
