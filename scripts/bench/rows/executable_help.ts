import { benchExecutable } from "../executable.ts";
import type { Row, Side } from "../row.ts";

/** The help, from the executable. */
export const executableHelp: Row = {
  name: "executable-help",
  title: "`mp --help` from the compiled file",
  unit: "ms",
  against: "`deno --version`",
  target: 2,
  better: "less",
  async prepare() {
    const mp = await benchExecutable();
    const empty = await emptyProgram();
    const sides: Side[] = [
      { name: "mp", measure: () => timeOf(mp, "--help") },
      { name: "deno --version", measure: () => timeOf(Deno.execPath(), "--version") },
      { name: "empty program", measure: () => timeOf(empty.file) },
    ];
    for (const { measure } of sides) await measure();
    return {
      sides,
      notes: () => [
        "`deno --version` starts no V8; a compiled program that does nothing shows what V8 and Deno's base take",
      ],
      [Symbol.asyncDispose]: () => empty[Symbol.asyncDispose](),
    };
  },
};

async function timeOf(command: string, ...args: string[]): Promise<number> {
  const before = performance.now();
  const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "inherit" })
    .output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  return performance.now() - before;
}

/** The least that a compiled program can take. */
async function emptyProgram(): Promise<{ readonly file: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "mp-bench-" });
  const file = `${folder}/empty${Deno.build.os === "windows" ? ".exe" : ""}`;
  await Deno.writeTextFile(`${folder}/empty.js`, "Deno.exit(0);\n");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "--quiet", "--no-check", "--no-config", "--no-code-cache"],
      ...["--output", file, `${folder}/empty.js`],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { file, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}
