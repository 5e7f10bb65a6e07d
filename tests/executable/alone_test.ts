// The file alone, on an empty machine: no Deno, no Node, no network, no source.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { needsExecutable } from "../support/executable.ts";
import { needsSystem, testWith } from "../support/needs.ts";
import { type Done, type LonelyMachine, lonelyMachine } from "./lonely_machine.ts";

const EXAMPLES = fromFileUrl(new URL("../../examples/", import.meta.url));
const NEEDS = [needsExecutable(), needsSystem("linux")];

/** Makes the machine, and tells when it is not as lonely as it should be. */
async function machine(...examples: string[]): Promise<LonelyMachine> {
  const made = await lonelyMachine();
  if (made.reaches) console.log(`The network is not taken away here: ${made.reaches}`);
  for (const name of examples) await Deno.copyFile(join(EXAMPLES, name), join(made.folder, name));
  return made;
}

/** What lines printed, each of which must have ended well. */
function outputs(done: readonly Done[]): string[] {
  for (const { line, code, stderr } of done) assertEquals(code, 0, `${line}\n${stderr}`);
  return done.map(({ stdout }) => stdout);
}

testWith(NEEDS, "the executable alone reaches nothing, and says what it is", async () => {
  await using alone = await machine();
  const [version, help, path, network] = await alone.run([
    "mp version",
    "mp --help",
    // what the machine does not have
    "deno --version",
    "mp client x --url http://192.0.2.1:3000 --timeout 2s",
  ]);
  assertMatch(
    version!.stdout,
    /^mp \d+\.\d+\.\d+\ndeno .*\nv8 .*\nesbuild .*\nbuild [0-9a-f]{64}\n$/,
  );
  assertMatch(help!.stdout, /Usage: mp /);
  assertEquals(path!.code, 127);
  assertEquals(network!.code, 1);
});

testWith(NEEDS, "the executable alone runs a scatter, from plan to delete", async () => {
  await using alone = await machine("histogram.ts");
  const done = await alone.run([
    "mp plan histogram.ts",
    "mp run histogram.ts -d --wait",
    "mp ps --json",
    "mp client histogram-service",
    "mp logs histogram",
    "mp delete histogram",
    "mp ps --json",
  ]);
  const [plan, run, ps, counts, , , none] = outputs(done);
  assertStringIncludes(plan!, "histogram-service.scatter  10  handler  indexed");
  // nobody else can have the port, where the network is the machine's own
  if (!alone.reaches) assertStringIncludes(run!, "listening on http://127.0.0.1:3000");
  const [{ replicas }] = JSON.parse(ps!);
  assertEquals(replicas.map(({ state }: { state: string }) => state), Array(11).fill("ready"));
  const sum = (JSON.parse(counts!) as number[]).reduce((a, b) => a + b, 0);
  assertEquals([sum > 950, sum < 1050], [true, true], counts);
  assertEquals(JSON.parse(none!), []);
  assertEquals(await alone.processes(), []);
});

testWith(NEEDS, "the executable alone keeps scopes in a file, over runs", async () => {
  await using alone = await machine("per_user_counter.ts", "per_user_counter.htpasswd");
  const start =
    "mp run per_user_counter.ts -d --wait --port 0 --auth-users per_user_counter.htpasswd";
  const call = "mp client counter --user ada:engine";
  const done = await alone.run([
    ...[start, call, call, "mp delete"],
    ...[start, call, "mp scope list per_user_counter.ts --json", "mp delete"],
  ]);
  const printed = outputs(done);
  assertEquals([1, 2, 5].map((i) => JSON.parse(printed[i]!).requests), [1, 2, 3]);
  assertStringIncludes(printed[6]!, "ada");
  assertEquals((await Deno.stat(join(alone.folder, ".mp", "data.db"))).isFile, true);
  assertEquals(await alone.processes(), []);
});

testWith(NEEDS, "the executable alone runs the other examples, one beside the other", async () => {
  const names = ["hello.ts", "replicated.ts", "sharded.ts", "nested.ts"];
  await using alone = await machine(...names);
  const done = await alone.run([
    ...names.map((name) => `mp run ${name} -d --wait --port 0`),
    `mp client hello '"Ada"'`,
    `mp client replicated '{"a":1}'`,
    `mp client visits '{"user":"ada"}'`,
    `mp client words '{"user":"ada","add":["one","two"],"find":"t"}'`,
    ...names.map((name) => `mp delete ${name}`),
  ]);
  const printed = outputs(done).slice(4, 8).map((text) => JSON.parse(text));
  assertEquals(printed[0], "hello, Ada");
  assertEquals(printed[1].request, { a: 1 });
  assertEquals([printed[2].user, printed[2].visits], ["ada", 1]);
  assertEquals([printed[3].words, printed[3].found], [2, ["two"]]);
  assertEquals(await alone.processes(), []);
});

testWith(
  NEEDS,
  "the executable alone names imports that it cannot resolve, with what to do",
  async () => {
    await using alone = await machine();
    const script = join(alone.folder, "shop.ts");
    await Deno.writeTextFile(
      script,
      `import * as mp from "@metaparticle/mp";\nimport pad from "npm:left-pad@1";\nmp.service("a", pad);\n`,
    );
    const [missing] = await alone.run(["mp plan shop.ts"]);
    assertEquals(missing!.code, 1);
    assertStringIncludes(missing!.stderr, `Cannot resolve "npm:left-pad@1"`);
    assertStringIncludes(missing!.stderr, "shop.ts:2:");
    assertStringIncludes(missing!.stderr, "→ Run npm install left-pad@1 in the script's folder");

    const folder = join(alone.folder, "node_modules", "left-pad");
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(join(folder, "package.json"), '{"name":"left-pad","version":"1.3.0"}');
    await Deno.writeTextFile(join(folder, "index.js"), "module.exports = (text) => ` ${text}`;\n");
    for (
      const name of ["mp", "@metaparticle/mp", "jsr:@metaparticle/mp", "npm:@metaparticle/mp@0.1"]
    ) {
      await Deno.writeTextFile(
        script,
        `import * as mp from "${name}";\nimport pad from "npm:left-pad@1";\nmp.service("a", pad, { expose: true });\n`,
      );
      const done = await alone.run([
        "mp run shop.ts -d --wait --port 0",
        "mp client a 1",
        "mp delete",
      ]);
      assertEquals(outputs(done)[1], '" 1"\n', name);
    }
  },
);
