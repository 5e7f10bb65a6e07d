/**
 * The declaration files of what scripts and tests import: those that the executable holds, or fresh ones where
 * `mp` runs from source.
 *
 * @module
 */

import { join } from "node:path";
import { embedded, embeddedUrl } from "../embedded.ts";
import { runScript } from "./run_script.ts";

/** Texts of declaration files, by name. */
export interface Declarations {
  /** Declares the modules of the API by name: all that an editor has to see. */
  readonly "mp.d.ts": string;
  /** What the runtime has, for editors that do not know it. */
  readonly "deno.d.ts": string;
  /** `@metaparticle/mp` as a module. */
  readonly "mod.d.ts": string;
  /** `@metaparticle/mp/testing` as a module. */
  readonly "testing.d.ts": string;
  /** What these two have in common. */
  readonly "shared.d.ts": string;
}

const NAMES = ["mp.d.ts", "deno.d.ts", "mod.d.ts", "testing.d.ts", "shared.d.ts"] as const;

/**
 * Gets them.
 *
 * @param made The folder that has them, where it is known.
 * @throws {MpError} `launch_failed` when they cannot be made of the source tree.
 */
export async function declarations(made?: string): Promise<Declarations> {
  if (made !== undefined) return await readAll((name) => join(made, name));
  const executable = embedded();
  if (executable !== undefined) {
    return await readAll((name) => embeddedUrl(executable.declarations[name]!.path));
  }
  const folder = await Deno.makeTempDir({ prefix: "mp-types-" });
  try {
    await runScript("scripts/declarations.ts", folder);
    return await readAll((name) => join(folder, name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function readAll(pathOf: (name: string) => string | URL): Promise<Declarations> {
  const texts = NAMES.map(async (name) => [name, await Deno.readTextFile(pathOf(name))] as const);
  return Object.fromEntries(await Promise.all(texts)) as unknown as Declarations;
}
