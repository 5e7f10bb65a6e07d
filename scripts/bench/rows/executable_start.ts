import { benchExecutable } from "../executable.ts";
import { makeHalves, ROOT } from "../processes.ts";
import type { Row, Side } from "../row.ts";

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
    await makeHalves();
    const source = [Deno.execPath(), "run", "-A", "--unstable-net", `${ROOT}mp.ts`];
    const sides: Side[] = [
      { name: "compiled", measure: () => timeToAnswer([mp]) },
      { name: "source", measure: () => timeToAnswer(source) },
    ];
    for (const { measure } of sides) await measure();
    return { sides, async [Symbol.asyncDispose]() {} };
  },
};

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
