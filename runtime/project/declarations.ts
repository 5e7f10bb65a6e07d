/**
 * The declaration files of what scripts and tests import: those that the executable holds, or fresh ones where
 * `mp` runs from source.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, MpError } from "../errors.ts";
import { sourceKey } from "../launch/kept_bundle.ts";
import { ownFolder } from "../own_files.ts";
import { cacheFolders } from "../user_folders.ts";
import { packageFiles } from "./package_files.ts";
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
 * @throws {MpError} `launch_failed` when they cannot be made of the source tree, `state_unwritable`.
 */
export async function declarations(made?: string): Promise<Declarations> {
  if (made !== undefined) return await readAll((name) => join(made, name));
  const files = await packageFiles();
  if (files !== undefined) {
    return Object.fromEntries(
      NAMES.map((name) => [name, files[`files/${name}`]!]),
    ) as unknown as Declarations;
  }
  const folder = await ofSources();
  return await readAll((name) => join(folder, name));
}

/** What they are made of, and by. */
const SOURCES = [
  ...["deno.json", "mod.ts", "testing.ts", "drivers", "patterns", "runtime", "testing"],
  ...["scripts/declarations.ts", "scripts/declarations"],
];

/** The folder of those that were made of the source tree, once for each state of it. */
async function ofSources(): Promise<string> {
  const key = await sourceKey(fileURLToPath(ownFolder), SOURCES);
  const problems: string[] = [];
  for (const cache of cacheFolders("declarations")) {
    const folder = join(cache, key);
    if (NAMES.every((name) => isFile(join(folder, name)))) return folder;
    const fresh = `${folder}.${crypto.randomUUID()}`;
    try {
      await Deno.mkdir(fresh, { recursive: true, mode: 0o700 });
      await runScript("scripts/declarations.ts", fresh);
      // another process may have come first
      await Deno.rename(fresh, folder).catch(() => Deno.remove(fresh, { recursive: true }));
      return folder;
    } catch (error) {
      await Deno.remove(fresh, { recursive: true }).catch(() => {});
      if (error instanceof MpError) throw error;
      problems.push(messageOf(error));
    }
  }
  throw new MpError("state_unwritable", `Cannot keep declaration files: ${problems.join("; ")}`, {
    next: "Set XDG_CACHE_HOME to a folder that can be written",
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function readAll(pathOf: (name: string) => string | URL): Promise<Declarations> {
  const texts = NAMES.map(async (name) => [name, await Deno.readTextFile(pathOf(name))] as const);
  return Object.fromEntries(await Promise.all(texts)) as unknown as Declarations;
}
