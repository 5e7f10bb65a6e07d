import { benchExecutable } from "../executable.ts";
import type { Row } from "../row.ts";

const MOST_BYTES = 150e6;

/** How large the executable is. */
export const executableSize: Row = {
  name: "executable-size",
  title: "size of the compiled file",
  unit: "MB",
  against: `a budget of ${MOST_BYTES / 1e6} MB`,
  target: 1,
  better: "less",
  async prepare() {
    const { size } = await Deno.stat(await benchExecutable());
    return {
      sides: [
        { name: "mp", measure: () => Promise.resolve(size / 1e6) },
        { name: "budget", measure: () => Promise.resolve(MOST_BYTES / 1e6) },
      ],
      async [Symbol.asyncDispose]() {},
    };
  },
};
