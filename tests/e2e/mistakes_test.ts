import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { mpSandbox } from "../support/mp.ts";
import { needsSystem, testWith } from "../support/needs.ts";

const ONE = `import * as mp from "@metaparticle/mp";
mp.service("one", () => 1, { expose: true });
mp.serve();
`;

Deno.test("a script that cannot run in the background is told so once", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("program.ts", `throw new Error("boom");`);
  await sandbox.write(
    "throws.ts",
    `import * as mp from "@metaparticle/mp";\nmp.service("a", () => 1);\nthrow new Error("boom");`,
  );
  const program = await sandbox.run(["run", "-d", "program.ts"]);
  assertEquals([program.code, program.stdout], [2, ""]);
  assertEquals(
    program.stderr,
    "error: Cannot use -d with this script: it makes no service\n" +
      "  → Run it without -d, as a program\n",
  );
  const throws = await sandbox.run(["run", "-d", "throws.ts"]);
  assertEquals([throws.code, throws.stdout], [1, ""]);
  assertEquals(
    throws.stderr,
    'error: Cannot load "throws.ts": boom\n  at throws.ts:3:7\n' +
      "  → Correct what the script does at its top level\n",
  );
});

Deno.test("counts for a path that is not there are wrong usage", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("one.ts", ONE);
  for (const command of ["run", "plan"]) {
    const { code, stderr } = await sandbox.run([command, "one.ts", "--replicas", "two=2"]);
    assertEquals(code, 2);
    assertMatch(stderr, /^error: Cannot set the replicas of "two": there is no such path\n/);
  }
});

testWith(
  needsSystem("linux"),
  "a port that another app has names the app, and a launch that fails for it leaves nothing",
  async () => {
    await using sandbox = await mpSandbox();
    await sandbox.write("one.ts", ONE);
    const first = await sandbox.run(["run", "one.ts", "-d", "--wait", "--port", "0"]);
    assertEquals(first.code, 0, first.stderr);
    const port = /:(\d+): one/.exec(first.stdout)![1]!;
    for (const how of [["-d"], []]) {
      const other = await sandbox.run(["run", "one.ts", "--name", "two", "--port", port, ...how]);
      assertEquals([other.code, other.stdout], [1, ""]);
      assertMatch(
        other.stderr,
        /Cannot listen on 127\.0\.0\.1:\d+: app "one" \(process \d+\) does\n {2}→ Stop it with mp delete one, or/,
      );
      const folder = `${sandbox.folder}/state/mp`;
      assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["one"]);
    }
    // logs of an app that runs are meant, whatever else has ended
    const ended = sandbox.start(["run", "one.ts", "--name", "ended", "--port", "0"]);
    await ended.line("listening on");
    ended.kill("SIGINT");
    assertEquals((await ended.ended).code, 0);
    const logs = await sandbox.run(["logs"]);
    assertEquals([logs.code, logs.stderr], [0, ""]);
    assertEquals((await sandbox.run(["logs", "ended"])).code, 0);
    const neither = await sandbox.run(["logs", "neither"]);
    assertStringIncludes(neither.stderr, 'it is neither an app nor a path of "one"');
    for (const app of ["one", "ended"]) {
      assertEquals((await sandbox.run(["delete", app])).code, 0);
    }
  },
);

Deno.test("mp scale changes nothing when one of several changes is wrong", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write(
    "spread.ts",
    `import * as mp from "@metaparticle/mp";
mp.service("s", mp.spread(2, () => 1), { expose: true });
mp.serve();
`,
  );
  const run = await sandbox.run(["run", "spread.ts", "-d", "--wait", "--port", "0"]);
  assertEquals(run.code, 0, run.stderr);
  const { code, stderr } = await sandbox.run(["scale", "s.compute=3", "t.compute=3"]);
  assertEquals(code, 1);
  assert(stderr.startsWith('error: Cannot scale "t.compute" of "spread": there is no such path'));
  const [{ replicas }] = JSON.parse((await sandbox.run(["ps", "spread", "--json"])).stdout);
  assertEquals(replicas.length, 3);
  assertEquals((await sandbox.run(["delete", "spread"])).code, 0);
});

Deno.test("mp loads scripts where the path of temporary files is too long for a socket", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write(
    "one.ts",
    'import * as mp from "@metaparticle/mp";\nmp.service("one", () => 1);\nmp.serve();\n',
  );
  const TMPDIR = join(sandbox.folder, "long".repeat(30));
  await Deno.mkdir(TMPDIR);
  const { code, stderr } = await sandbox.run(["plan", "one.ts"], { env: { TMPDIR } });
  assertEquals(code, 0, stderr);
});

Deno.test("mp scale says when it replaces more than was asked for, and why", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write(
    "spread.ts",
    `import * as mp from "@metaparticle/mp";
mp.service("s", mp.spread(2, () => 1), { expose: true });
mp.service("t", mp.scatter(2, () => 1, (all: number[]) => all.length));
mp.serve();
`,
  );
  const run = await sandbox.run(["run", "spread.ts", "-d", "--wait", "--port", "0"]);
  assertEquals(run.code, 0, run.stderr);
  const said = [];
  for (const change of ["s.compute=3", "s.shard=2", "t.scatter=3", "t.scatter=3"]) {
    const { code, stderr } = await sandbox.run(["scale", change]);
    said.push([code, stderr]);
  }
  assertEquals(said, [
    [0, "s.compute now has 3 replicas\n"],
    [
      0,
      "s.shard now has 2 replicas\n" +
      '  Every replica of "spread" was replaced, for callers come in through ingress now\n',
    ],
    [
      0,
      "t.scatter now has 3 replicas\n" +
      '  Every replica of "spread" was replaced, for those of t.scatter depend on how many they are\n',
    ],
    [0, "t.scatter has 3 replicas\n"],
  ]);
  assertEquals((await sandbox.run(["delete", "spread"])).code, 0);
});
