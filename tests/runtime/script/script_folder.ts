/**
 * A temporary folder with the files of a script.
 *
 * @module
 */

import { dirname, join } from "@std/path";

/** A folder that is removed when it is disposed of. */
export interface ScriptFolder extends AsyncDisposable {
  /** Its real path. */
  readonly path: string;
  /** The path of a file in it. */
  file(name: string): string;
  /** Writes files by name. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
}

/** Makes a folder with these files. */
export async function scriptFolder(files: Readonly<Record<string, string>>): Promise<ScriptFolder> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-script-" }));
  const folder: ScriptFolder = {
    path,
    file: (name) => join(path, name),
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        await Deno.mkdir(dirname(join(path, name)), { recursive: true });
        await Deno.writeTextFile(join(path, name), text);
      }
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
  await folder.write(files);
  return folder;
}
