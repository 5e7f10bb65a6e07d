/** `mp init`. @module */

import { join, resolve } from "node:path";
import { messageOf, MpError } from "../errors.ts";
import { STARTER_FILES } from "../project/starter_files.ts";
import { writeProjectFiles } from "../project/write_project_files.ts";
import { showPath } from "../script/show_path.ts";
import { optional } from "./argument.ts";
import { command } from "./command.ts";

/** Writes the files of a new project. */
export const init = command({
  description: [
    "Writes a topology script, a test of it, and what editors need to understand both: deno.json for people " +
    "with Deno, tsconfig.json for those without. Nothing that is there already is overwritten.",
    "What lies in .mp is not to be committed; mp types makes it again.",
  ],
  arguments: {
    folder: optional({
      description: "Where; made unless it is there; the working folder unless given",
      candidates: "file",
    }),
  },
  options: {},
  examples: [{ line: "mp init shop", does: "A new project in the folder shop" }],
  async run({ arguments: { folder = "." }, output }) {
    const path = resolve(folder);
    await write(path, STARTER_FILES);
    const made = await writeProjectFiles(path);
    const all = [...Object.keys(STARTER_FILES), ...made];
    if (output.json) return output.data({ folder: path, files: all });
    for (const name of all) output.result(`Wrote ${showPath(join(path, name))}`);
    const script = showPath(join(path, "topology.ts"));
    output.say("info", `  → mp run ${script}, then mp client sum 100`);
    output.say("info", "  → mp test, or deno test -A, in its folder, runs the test");
  },
});

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const there = Object.keys(files).filter((name) => exists(join(folder, name)));
  if (there.length > 0) {
    throw new MpError(
      "usage",
      `Cannot start a project in "${showPath(folder)}": there is ${there.join(", ")} already`,
      { next: "Name an empty folder: mp init FOLDER" },
    );
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text, { createNew: true });
    }
  } catch (error) {
    throw new MpError(
      "state_unwritable",
      `Cannot start a project in "${showPath(folder)}": ${messageOf(error)}`,
      { cause: error, next: "Name a folder that can be written" },
    );
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
  }
}
