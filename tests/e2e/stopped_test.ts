// Runs that are stopped while they start: nothing is left running, and nothing blocks the next one.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needsSystem, testWith } from "../support/needs.ts";
import { mpSandbox, type Sandbox } from "../support/mp.ts";
import type { Ended, Program } from "../support/program.ts";
import { ask } from "./callers.ts";
import { APP, ownTemporaryFolder, script, untilNoneRuns, untilThere, urlOf } from "./launched.ts";

const hello = `mp.service("hello", mp.spread(2, () => "hello"), { expose: true });`;

/** What a script does at its top level where it stays, for as long as there is no file called "go". */
const STAYS = {
  computes: "for (let gone = false; !gone;) { try { Deno.statSync(go); gone = true; } catch {} }",
  waits: "await new Promise(() => {});",
};

/** A script that says where it stays, by a file, and stays there. */
function staying(where: "load" | "replica", how: keyof typeof STAYS, folder: string): string {
  const here = where === "load" ? "!replica" : 'replica === "hello.compute.1"';
  return `
    const replica = Deno.env.get("MP_REPLICA");
    const go = ${JSON.stringify(`${folder}/go`)};
    if (${here}) {
      Deno.writeTextFileSync(${JSON.stringify(`${folder}/here`)}, "");
      ${how === "waits" && where === "load" ? "setInterval(() => {}, 1000);" : ""}
      ${STAYS[how]}
    }
    ${hello}
  `;
}

async function assertRunsAgain(sandbox: Sandbox) {
  const file = await sandbox.write(`${APP}.ts`, script(hello));
  const env = ownTemporaryFolder(sandbox);
  const next = sandbox.start(["run", "--json", "--port", "0", file], { env });
  const url = urlOf(JSON.parse(await next.line(/"event":"ready"/)));
  assertEquals((await ask(url, "hello")).result, "hello");
  next.kill("SIGINT");
  assertEquals((await next.ended).code, 0);
}

/** What a run left that was stopped in an orderly way: nothing but the record of what was. */
async function assertNothingLeft(sandbox: Sandbox) {
  const temporary = await Array.fromAsync(Deno.readDir(`${sandbox.folder}/tmp`));
  assertEquals(temporary.map(({ name }) => name).filter((name) => name.startsWith("mp-")), []);
  assertEquals((await sandbox.run(["ps", "--json"])).stdout.trim(), "[]");
}

interface Moment {
  readonly where: "load" | "replica";
  readonly how: keyof typeof STAYS;
  readonly args?: readonly string[];
}

const moments: Record<string, Moment> = {
  "its script computes": { where: "load", how: "computes" },
  "its script waits": { where: "load", how: "waits" },
  "a replica computes before it is ready": { where: "replica", how: "computes" },
  "a replica waits before it is ready": { where: "replica", how: "waits" },
  "a replica in the background computes before it is ready": {
    where: "replica",
    how: "computes",
    args: ["-d", "--wait"],
  },
};

for (const [what, { where, how, args = [] }] of Object.entries(moments)) {
  const start = async (sandbox: Sandbox): Promise<Program> => {
    await Deno.mkdir(`${sandbox.folder}/tmp`, { recursive: true });
    const file = await sandbox.write(`${APP}.ts`, script(staying(where, how, sandbox.folder)));
    const env = ownTemporaryFolder(sandbox);
    const program = sandbox.start(["run", "--port", "0", ...args, file], { env });
    await untilThere(sandbox.folder, "here");
    await Deno.remove(`${sandbox.folder}/here`);
    return program;
  };
  const interrupted = ({ code, stdout, stderr }: Ended) => {
    assertEquals([code, stdout], [1, ""], stderr);
    assertStringIncludes(stderr, "error: Cannot run ");
    assertStringIncludes(stderr, ": it was interrupted\n");
  };

  testWith(
    needsSystem("linux", "darwin"),
    `a run that is interrupted while ${what} ends at once and leaves nothing`,
    async () => {
      await using sandbox = await mpSandbox();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        const program = await start(sandbox);
        const since = performance.now();
        program.kill(signal);
        interrupted(await program.ended);
        await untilNoneRuns(sandbox);
        // it is not the grace period that ends it
        assert(performance.now() - since < 9000);
        await assertNothingLeft(sandbox);
      }
      await assertRunsAgain(sandbox);
    },
  );

  if (args.length > 0) continue;
  testWith(
    needsSystem("linux", "darwin"),
    `a run that is killed while ${what} leaves no process, and does not block the next`,
    async () => {
      await using sandbox = await mpSandbox();
      const program = await start(sandbox);
      program.kill("SIGKILL");
      await program.ended;
      assert(await untilNoneRuns(sandbox) < 9000);
      await assertRunsAgain(sandbox);
    },
  );
}

testWith(
  needsSystem("linux", "darwin"),
  "a run that is killed at any moment of its start leaves no process, and does not block the next",
  async () => {
    await using sandbox = await mpSandbox();
    await Deno.mkdir(`${sandbox.folder}/tmp`);
    const file = await sandbox.write(`${APP}.ts`, script(hello));
    const env = ownTemporaryFolder(sandbox);
    // how long a start takes here, now
    const since = performance.now();
    await assertRunsAgain(sandbox);
    const whole = performance.now() - since;
    for (let part = 1; part <= 8; part++) {
      const program = sandbox.start(["run", "--port", "0", file], { env });
      // any moment will do, so that there is no event to wait for
      await new Promise((resolve) => setTimeout(resolve, whole * part / 8));
      program.kill("SIGKILL");
      await program.ended;
      assert(await untilNoneRuns(sandbox) < 9000);
    }
    await assertRunsAgain(sandbox);
  },
);

Deno.test("a script that never comes to its end is stopped after its time, and leaves nothing", async () => {
  await using sandbox = await mpSandbox();
  const loops = await sandbox.write("loops.ts", script(`${hello} for (;;);`));
  const waits = await sandbox.write(
    "waits.ts",
    script(`${hello} setInterval(() => {}, 9); await new Promise(() => {});`),
  );
  const runs = await Promise.all([loops, waits].map((file) => sandbox.run(["run", file])));
  for (const { code, stdout, stderr } of runs) {
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, /^error: Cannot load ".*": .* after 10 s\n/);
  }
  assertEquals(await sandbox.processes(), []);
});
