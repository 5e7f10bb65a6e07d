// The executable is replaced by another while it runs.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ask } from "../e2e/callers.ts";
import { told, urlOf } from "../e2e/launched.ts";
import { executable, needsExecutable } from "../support/executable.ts";
import { mpSandbox, type Sandbox } from "../support/mp.ts";
import { needsSystem, testWith } from "../support/needs.ts";

const NEEDS = [needsExecutable(), needsSystem("linux", "darwin")];
const HELLO = `import * as mp from "@metaparticle/mp";
mp.service("hello", () => Deno.pid, { expose: true, replicas: 1 });
`;

/** A sandbox with an executable of its own. */
async function installed(): Promise<{ sandbox: Sandbox; program: string }> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-" }));
  const program = join(folder, "mp");
  await Deno.copyFile(executable(), program);
  const sandbox = await mpSandbox([program]);
  const dispose = sandbox[Symbol.asyncDispose];
  return {
    program,
    sandbox: {
      ...sandbox,
      async [Symbol.asyncDispose]() {
        await dispose();
        await Deno.remove(folder, { recursive: true });
      },
    },
  };
}

/** Puts another program in the place of one, as installers do. */
async function replace(program: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${program}.new`, text, { mode: 0o755 });
  await Deno.rename(`${program}.new`, program);
}

testWith(
  NEEDS,
  "what runs goes on with the same build when the executable is replaced, restarts included",
  async () => {
    const { sandbox: made, program } = await installed();
    await using sandbox = made;
    const script = await sandbox.write("hello.ts", HELLO);
    const run = sandbox.start(["run", script, "--port", "0", "--json"]);
    const url = urlOf(JSON.parse(await run.line(/"event":"ready"/)));
    const { result: pid } = await ask(url, "hello");
    // any start of what is there now would be seen
    const started = join(sandbox.folder, "started");
    await replace(program, `#!/bin/sh\necho "$@" >> "${started}"\nexit 1\n`);
    Deno.kill(Number(pid), "SIGKILL");
    const again = await told(run, (one) => one.state === "ready" && one.pid !== pid);
    assertEquals((await ask(url, "hello")).result, again.pid);
    // one copy is enough
    Deno.kill(again.pid!, "SIGKILL");
    const third = await told(
      run,
      ({ state, pid: other }) => state === "ready" && other !== pid && other !== again.pid,
    );
    assertEquals((await ask(url, "hello")).result, third.pid);
    const copies = await Array.fromAsync(Deno.readDir(join(sandbox.folder, "cache/mp/program")));
    assertEquals(copies.length, 1);
    run.kill("SIGINT");
    assertEquals((await run.ended).code, 0);
    await assertRejects(() => Deno.lstat(started), Deno.errors.NotFound);
  },
);

testWith(
  NEEDS,
  "a replaced executable that can be kept nowhere is said, with what to do",
  async () => {
    const { sandbox: made, program } = await installed();
    await using sandbox = made;
    const script = await sandbox.write("hello.ts", HELLO);
    const nowhere = await sandbox.write("file", "");
    const env = { TMPDIR: join(sandbox.folder, "tmp") };
    await Deno.mkdir(env.TMPDIR);
    const run = sandbox.start(["run", script, "--port", "0", "--json"], { env });
    const url = urlOf(JSON.parse(await run.line(/"event":"ready"/)));
    const { result: pid } = await ask(url, "hello");
    await replace(program, "#!/bin/sh\nexit 1\n");
    // root may write everywhere: files stand where folders would have to be
    await Deno.remove(join(sandbox.folder, "cache"), { recursive: true });
    await Deno.copyFile(nowhere, join(sandbox.folder, "cache"));
    await Deno.remove(join(env.TMPDIR, `mp-${Deno.uid()}`), { recursive: true }).catch(() => {});
    await Deno.copyFile(nowhere, join(env.TMPDIR, `mp-${Deno.uid()}`));
    Deno.kill(Number(pid), "SIGKILL");
    const failed = await told(run, ({ message }) => message?.includes("was replaced") === true);
    assertStringIncludes(failed.message!, "no copy can be kept");
    run.kill("SIGINT");
    assertEquals((await run.ended).code, 0);
  },
);
