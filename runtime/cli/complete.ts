/** `mp complete`, which the scripts of `mp completions` call. @module */

import { remaining } from "./argument.ts";
import { type DeployedWords, offer, type OfferedWord } from "./candidates.ts";
import { command, type Program } from "./command.ts";
import { listDeployments } from "./deployments.ts";
import { userState } from "./find_deployment.ts";

/** Prints what may stand in place of the last word: one a line, a tab, what it means; `:files` asks for files. */
export const complete = command({
  description: [],
  arguments: {
    words: remaining({
      required: false,
      description: "The words after mp, the last one unfinished",
    }),
  },
  options: {},
  examples: [],
  async run({ arguments: { words }, output, program }) {
    const { words: offered, files } = await offer(words, program, deployedWords(program));
    for (const { word, meaning } of offered) output.result(`${word}\t${meaning}`);
    if (files) output.result(":files");
  },
});

/** The words that depend on what is deployed; none where that cannot be read. */
function deployedWords(program: Program): DeployedWords {
  return async (kind) => {
    try {
      const records = await listDeployments(program);
      if (kind === "app") {
        const apps = await userState(program).apps();
        const all = new Set([...apps, ...records.map(({ handle }) => handle.app)]);
        return Array.from(all, (word) => ({ word, meaning: "app" }));
      }
      return records.flatMap(({ handle, plan }): OfferedWord[] =>
        kind === "service"
          ? handle.doors.flatMap(({ methods }) =>
            methods.map((word) => ({ word, meaning: handle.app }))
          )
          : plan.nodes.map(({ path, kind }) => ({
            word: path,
            meaning: `${kind} of ${handle.app}`,
          }))
      );
    } catch {
      return [];
    }
  };
}
