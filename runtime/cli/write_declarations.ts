/** `mp types`. @module */

import { resolve } from "node:path";
import { declarations } from "../project/declarations.ts";
import { writeProjectFiles } from "../project/write_project_files.ts";
import { showPath } from "../script/show_path.ts";
import { optional } from "./argument.ts";
import { command } from "./command.ts";

/** Writes what editors and Deno know the scripting API by. */
export const writeDeclarations = command({
  description: [
    "Writes .mp/types/mp.d.ts, which declares what scripts import, and .mp/types/deno.d.ts, which declares " +
    "what is global in them, for editors and compilers where no Deno is. A tsconfig.json has to name them: " +
    '"include": ["**/*.ts", ".mp/types/*.d.ts"].',
    "Where the folder's deno.json leads to .mp/package, as that of mp init does, the package is written too.",
  ],
  arguments: {
    folder: optional({
      description: "The project's folder; the working folder unless given. - prints mp.d.ts",
      candidates: "file",
    }),
  },
  options: {},
  examples: [
    { line: "mp types", does: "For the project in the working folder" },
    { line: "mp types -", does: "The declaration file alone, on stdout" },
  ],
  async run({ arguments: { folder = "." }, output }) {
    if (folder === "-") {
      output.result((await declarations())["mp.d.ts"].trimEnd());
      return;
    }
    const path = resolve(folder);
    const files = await writeProjectFiles(path);
    if (output.json) output.data({ folder: path, files });
    else for (const file of files) output.result(`Wrote ${showPath(resolve(path, file))}`);
  },
});
