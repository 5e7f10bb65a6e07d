import { bundleScript, stopBundler, warmUpBundler } from "../../../runtime/script/bundle.ts";
import { benchExecutable } from "../executable.ts";
import { ROOT } from "../processes.ts";
import type { Row, Side } from "../row.ts";

const NOTHING = { async [Symbol.asyncDispose]() {} };

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

/** From the start of the launcher of one service to its first right answer. */
export const executableStart: Row = {
  name: "executable-start",
  title: "one service, start of the launcher to first right answer, from the compiled file",
  unit: "ms",
  against: "the same from source",
  target: 1.3,
  better: "less",
  async prepare() {
    const mp = await benchExecutable();
    const source = [Deno.execPath(), "run", "-A", "--unstable-net", `${ROOT}main.ts`];
    const sides: Side[] = [
      { name: "compiled", measure: () => timeToAnswer([mp]) },
      { name: "source", measure: () => timeToAnswer(source) },
    ];
    for (const { measure } of sides) await measure();
    return { sides, ...NOTHING };
  },
};

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
      ...NOTHING,
    };
  },
};

const BUNDLE_BUDGET = 60;

/** A script as one module, when esbuild runs already. */
export const bundleTime: Row = {
  name: "bundle",
  title: "bundling `examples/histogram.ts`, warm",
  unit: "ms",
  against: `a budget of ${BUNDLE_BUDGET} ms`,
  target: 1,
  better: "less",
  async prepare() {
    await warmUpBundler();
    const measure = async () => {
      const before = performance.now();
      await bundleScript(`${ROOT}examples/histogram.ts`);
      return performance.now() - before;
    };
    await measure();
    return {
      sides: [
        { name: "mp", measure },
        { name: "budget", measure: () => Promise.resolve(BUNDLE_BUDGET) },
      ],
      [Symbol.asyncDispose]: stopBundler,
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

async function timeToAnswer([command, ...args]: readonly string[]): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "mp-bench-" });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const before = performance.now();
  const child = new Deno.Command(command!, {
    args: [...args, "run", `${ROOT}examples/hello.ts`, "--port", String(port)],
    env: { XDG_STATE_HOME: folder },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await answer(port);
    return performance.now() - before;
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(folder, { recursive: true });
  }
}

async function answer(port: number): Promise<void> {
  const body = JSON.stringify({ jsonrpc: "2.0", method: "hello", params: ["Ada"], id: 1 });
  const headers = { "content-type": "application/json" };
  for (const deadline = performance.now() + 30_000; performance.now() < deadline;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", headers, body });
      const { result } = await response.json();
      if (result === "hello, Ada") return;
      throw new TypeError(`a wrong answer: ${result}`);
    } catch (error) {
      if (error instanceof TypeError && error.message.startsWith("a wrong")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  throw new Error("no answer within 30 s");
}
