import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AssertionError } from "@std/assert";
import { mpSandbox } from "./mp.ts";
import { needsSystem, testWith } from "./needs.ts";

/** A sandbox whose program is a line of JavaScript. */
const sandboxOf = (code: string) => mpSandbox([Deno.execPath(), "eval", code]);

Deno.test("run() gives what the program printed and how it ended", async () => {
  await using sandbox = await sandboxOf(
    `console.log("a"); console.error("b"); Deno.exit(3);`,
  );
  const { code, stdout, stderr } = await sandbox.run([]);
  assertEquals({ code, stdout, stderr }, { code: 3, stdout: "a\n", stderr: "b\n" });
});

Deno.test("run() hands arguments, stdin, environment and folder on", async () => {
  await using sandbox = await sandboxOf(`
    const stdin = await new Response(Deno.stdin.readable).text();
    console.log(JSON.stringify([Deno.args, stdin, Deno.env.get("CORPUS"), Deno.cwd()]));`);
  const { stdout } = await sandbox.run(["x", "y z"], { stdin: "z", env: { CORPUS: "c" } });
  assertEquals(JSON.parse(stdout), [["x", "y z"], "z", "c", sandbox.folder]);
});

Deno.test("run() keeps state, cache and sockets in the sandbox", async () => {
  await using sandbox = await sandboxOf(`
    for (const name of ["STATE_HOME", "CACHE_HOME", "RUNTIME_DIR"]) {
      console.log(Deno.statSync(Deno.env.get("XDG_" + name)).isDirectory);
    }
    console.log(Deno.env.get("XDG_STATE_HOME"));`);
  const { stdout } = await sandbox.run([]);
  assertEquals(stdout, `true\ntrue\ntrue\n${sandbox.folder}/state\n`);
});

Deno.test("line() waits for a line, and says what was printed when it never comes", async () => {
  await using sandbox = await sandboxOf(`
    console.log("starting");
    setTimeout(() => { console.log("ready on port 4000"); }, 50);`);
  const program = sandbox.start([]);
  assertEquals(await program.line(/ready on port (\d+)/), "ready on port 4000");
  assertEquals(await program.line("starting"), "starting");
  const error = await assertRejects(() => program.line("listening"), Error, "the program ended");
  assertStringIncludes(error.message, "starting\nready on port 4000");
});

Deno.test("a sandbox ends what was started in it", async () => {
  const sandbox = await sandboxOf(`console.log("on"); setInterval(() => {}, 1000);`);
  const program = sandbox.start([]);
  await program.line("on");
  await sandbox[Symbol.asyncDispose]();
  assertEquals((await program.ended).signal, "SIGTERM");
  await assertRejects(() => Deno.stat(sandbox.folder), Deno.errors.NotFound);
});

testWith(needsSystem("linux"), "a sandbox fails when something is left running", async () => {
  const sandbox = await sandboxOf(`
    new Deno.Command(Deno.execPath(), {
      args: ["eval", "setInterval(() => {}, 1000)"], detached: true,
      stdin: "null", stdout: "null", stderr: "null",
    }).spawn().unref();
    Deno.exit(0);`);
  await sandbox.run([]);
  const [left] = await sandbox.processes();
  assert(left !== undefined);
  const error = await assertRejects(
    () => sandbox[Symbol.asyncDispose](),
    AssertionError,
    "Left running",
  );
  assertStringIncludes(error.message, `${left.pid}`);
  const state = await Deno.readTextFile(`/proc/${left.pid}/stat`).catch(() => "gone Z");
  assert(/ Z/.test(state), `it was not killed: ${state}`);
});
