/**
 * The lint rule `mp/file-name`: names of files say what is in them.
 *
 * @module
 */

import { projectPath } from "./project_path.ts";

const SNAKE_CASE = /^[a-z0-9]+(_[a-z0-9]+)*(\.d)?\.[cm]?[jt]s$/;
const FOLDER = /^\.?[a-z0-9]+([_-][a-z0-9]+)*$/;
const SAYS_NOTHING = /(^|_)(utils?|helpers?|types?|common|misc)$/;

/** What is wrong with a file's name, if anything. */
export function judgeFileName(path: string): string | undefined {
  const folders = path.split("/");
  const file = folders.pop()!;
  if (!SNAKE_CASE.test(file)) return "its name is not snake_case";
  const odd = folders.find((folder) => !FOLDER.test(folder));
  if (odd !== undefined) return `its folder "${odd}" is not in lower case`;
  const vague = [...folders, file.replace(/\..*/, "")].find((name) => SAYS_NOTHING.test(name));
  return vague === undefined ? undefined : `"${vague}" says nothing of what is in it`;
}

/** Keeps to snake_case, and to names that say something. */
export const fileName: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    const wrong = path === undefined ? undefined : judgeFileName(path);
    if (wrong === undefined) return {};
    return {
      Program(node) {
        context.report({
          node,
          message: `Cannot keep the file "${path}": ${wrong}`,
          hint: "name a file after its main export, in snake_case",
        });
      },
    };
  },
};
