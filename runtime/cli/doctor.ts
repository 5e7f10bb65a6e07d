/** `mp doctor`. @module */

import { command } from "./command.ts";
import { type Check, checks } from "./doctor_checks.ts";
import { text } from "./option.ts";
import type { Palette } from "./palette.ts";

/** Checks that everything works that mp needs of a machine. */
export const doctor = command({
  description: ["Exits with 1 when something that every deployment needs does not work."],
  arguments: {},
  options: {
    storage: text({
      value: "URL",
      description:
        "Check this storage, too; as for mp run, one that the environment names is checked",
    }),
  },
  examples: [
    { line: "mp doctor", does: "What works here and what does not" },
    {
      line: "mp doctor --storage redis://10.0.0.7",
      does: "Whether a storage keeps what it is given",
    },
  ],
  async run({ options: { storage }, output, program, signal }) {
    const found = await Promise.all(checks(program, { storage, signal }));
    const failed = found.filter(({ state }) => state === "failed");
    if (output.json) output.data({ ok: failed.length === 0, checks: found });
    else for (const check of found) output.result(formatCheck(check, output.stdout.palette));
    return failed.length > 0 ? 1 : 0;
  },
});

function formatCheck({ name, state, found, next }: Check, palette: Palette): string {
  const { green, yellow, red, cyan } = palette;
  const mark = { ok: green("✔"), warning: yellow("!"), failed: red("✘") }[state];
  return `${mark} ${name}: ${found}${next === undefined ? "" : `\n  ${cyan("→")} ${next}`}`;
}
