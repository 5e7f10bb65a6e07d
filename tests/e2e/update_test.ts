// Updates and changes of scale while many call: no call fails.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { needsSystem, testWith } from "../support/needs.ts";
import { type Call, jaysonCaller, storm } from "./callers.ts";
import { launch, type Launched, script } from "./launched.ts";

/** A script whose every answer names the revision of all replicas that had part in it. */
const revision = (name: string) => `
const REVISION = ${JSON.stringify(name)};
const leaf = async (held: boolean, { replica }: mp.Context) => {
  if (held) console.log("holds: " + replica.name);
  await new Promise((resolve) => setTimeout(resolve, held ? 700 : Math.random() * 5));
  return REVISION;
};
const gather = (parts: string[]) => [REVISION, ...parts];
mp.service("all", mp.scatter(3, leaf, gather), { expose: true });
const one = (_: unknown, { replica }: mp.Context) => [REVISION, replica.name];
mp.service("any", mp.spread(2, one, { strategy: "round-robin" }), { expose: true });
`;

/** Callers of both services, by connections that are kept and by one for each call. */
function callersOf({ url, reply }: Launched) {
  const jayson = jaysonCaller(url);
  return [
    ...new Array(4).fill(() => reply("all", false)),
    ...new Array(2).fill(() => reply("any")),
    ...new Array(4).fill(() => jayson("all", false)),
    ...new Array(2).fill(() => jayson("any")),
  ];
}

/** The revision of an answer, of which there must be one. */
function revisionOf({ reply: { result, error } }: Call): string {
  assert(error === undefined, JSON.stringify(error));
  const [first, ...rest] = (result as string[]).filter((word) => !word.startsWith("any."));
  assertEquals(rest, rest.map(() => first!), "an answer of more than one revision");
  return first!;
}

/** Updates as a second \`mp run\` does, and follows until it has been told to be ready. */
async function update({ sandbox, script: file }: Launched, body: string) {
  await Deno.writeTextFile(file, script(body));
  const { code, stderr } = await sandbox.run(["run", "-d", "--wait", file]);
  assertEquals(code, 0, stderr);
}

testWith(
  needsSystem("linux"),
  "an update by a second run fails no call, and none is answered by two revisions",
  async () => {
    await using launched = await launch(revision("first"));
    const before = await launched.replicas();
    // a call that is under way is answered by what it has begun with
    const held = launched.reply("all", true);
    await launched.told(({ text }) => text === "holds: all.scatter.2");
    const calls = await storm(callersOf(launched), async () => {
      for (const name of ["second", "third", "first"]) {
        await update(launched, revision(name));
        assertEquals((await launched.reply("all", false)).result, new Array(4).fill(name));
      }
    });
    assertEquals((await held).result, new Array(4).fill("first"));
    const revisions = new Set(calls.map(revisionOf));
    assertEquals(revisions, new Set(["first", "second", "third"]));
    for (let caller = 0; caller < 12; caller++) {
      const own = calls.filter((call) => call.caller === caller).map(revisionOf);
      // nobody is answered by what ran before once it has been answered by what came after
      const turns = own.filter((name, i) => name !== own[i - 1]);
      assertEquals(turns, ["first", "second", "third", "first"]);
    }
    const after = await launched.replicas();
    assertEquals(after.map(({ state, tree }) => [state, tree]), after.map(() => ["ready", 4]));
    const running = new Set((await launched.sandbox.processes()).map(({ pid }) => pid));
    assertEquals(before.filter(({ pid }) => running.has(pid!)), []);
    // those that run now, and the launcher
    assertEquals(running.size, after.length + 1);
  },
);

testWith(
  needsSystem("linux"),
  "replicas without state come and go under load, and no call fails",
  async () => {
    await using launched = await launch(revision("first"));
    const names = (calls: readonly Call[]) => new Set(calls.map(({ reply }) => reply.result[1]));
    const before = await launched.replicas();
    const scale = async (count: number) => {
      const { code, stderr } = await launched.sandbox.run(["scale", `any.compute=${count}`]);
      assertEquals(code, 0, stderr);
      const status = await launched.replicas();
      assertEquals(status.filter(({ path }) => path === "any.compute").length, count);
    };
    const calls = await storm(callersOf(launched), async () => {
      await scale(5);
      await scale(1);
      await scale(3);
    });
    assertEquals(new Set(calls.map(revisionOf)), new Set(["first"]));
    const anys = calls.filter(({ reply }) => reply.result[1].startsWith("any."));
    assertEquals(names(anys), new Set([0, 1, 2, 3, 4].map((i) => `any.compute.${i}`)));
    // the others were left alone
    const after = await launched.replicas();
    const others = ({ path }: { path: string }) => path !== "any.compute";
    assertEquals(after.filter(others), before.filter(others));
    const running = await launched.sandbox.processes();
    assertEquals(running.length, after.length + 1);
  },
);

testWith(
  needsSystem("linux"),
  "parts with state are scaled by a whole new tree, under load, and no call fails",
  async () => {
    await using launched = await launch(revision("first"));
    const calls = await storm(callersOf(launched), async () => {
      const { code, stderr } = await launched.sandbox.run(["scale", "all.scatter=5"]);
      assertEquals(code, 0, stderr);
      assertEquals((await launched.reply("all", false)).result.length, 6);
    });
    assertEquals(new Set(calls.map(revisionOf)), new Set(["first"]));
    // all leaves of one tree or all of the other
    const sizes = new Set(
      calls.map(({ reply }) => reply.result.length).filter((size) => size !== 2),
    );
    assertEquals(sizes, new Set([4, 6]));
    assertGreater(calls.length, 100);
  },
);

testWith(
  needsSystem("linux"),
  "a replica that is restarted under load fails no call of others that are like it",
  async () => {
    await using launched = await launch(revision("first"));
    const jayson = jaysonCaller(launched.url);
    const callers = new Array(4).fill([() => launched.reply("any"), () => jayson("any")]).flat();
    const calls = await storm(callers, async () => {
      for (const path of ["any.compute.0", "any.compute"]) {
        const { code, stderr } = await launched.sandbox.run(["restart", path]);
        assertEquals(code, 0, stderr);
      }
    });
    assertEquals(new Set(calls.map(revisionOf)), new Set(["first"]));
    const restarts = (await launched.replicas()).filter(({ path }) => path === "any.compute");
    assertEquals(restarts.map(({ restarts }) => restarts), [2, 1]);
  },
);
