// mp run --watch, with everything that can be wrong with a script while somebody writes it.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needsSystem, testWith } from "../support/needs.ts";
import { jaysonCaller, storm } from "./callers.ts";
import { launch, script } from "./launched.ts";

const answers = (word: string) =>
  `mp.service("hello", mp.scatter(2, () => "${word}", ([word]) => word), { expose: true });`;

/** Scripts that cannot run, and what is said of them. */
const broken: Record<string, { readonly text: string; readonly says: string }> = {
  "does not build": { text: script("const = 1;"), says: 'expected identifier but found "="' },
  "imports what is not there": {
    text: script(`import "./nothing.ts";\n${answers("lost")}`),
    says: "./nothing.ts",
  },
  "throws": {
    text: script(`${answers("thrown")} throw new Error("not today");`),
    says: "not today",
  },
  "makes no service": { text: "console.log(1);\nexport {};\n", says: "makes no service any more" },
  "names another app": {
    text: script(`mp.app("other"); ${answers("other")}`),
    says: 'the script now makes the app "other"',
  },
  "crashes in one replica": {
    text: script(
      `if (Deno.env.get("MP_REPLICA") === "hello.scatter.1") throw new Error("only here");
       ${answers("crashed")}`,
    ),
    says: "Cannot keep hello.scatter.1 running: exited with 1, 5 times in a row\n  only here",
  },
};

testWith(
  needsSystem("linux"),
  "with --watch, whatever is wrong with a script leaves what ran before, and fails no call",
  async () => {
    await using launched = await launch(answers("one"), { args: ["--watch"] });
    const { program, sandbox } = launched;
    const jayson = jaysonCaller(launched.url);
    const callers = [
      ...new Array(2).fill(() => launched.reply("hello")),
      ...new Array(2).fill(() => jayson("hello")),
    ];
    const calls = await storm(callers, async () => {
      for (const [what, { text, says }] of Object.entries(broken)) {
        const from = program.lines.length;
        await Deno.writeTextFile(launched.script, text);
        const { error } = await launched.told(({ error }) => error !== undefined, from);
        assertStringIncludes(error!.message, says, what);
        assertEquals((await launched.reply("hello")).result, "one", what);
      }
      const from = program.lines.length;
      await Deno.remove(launched.script);
      const { error } = await launched.told(({ error }) => error !== undefined, from);
      assertEquals(error!.code, "script_not_found");
      await sandbox.write("shop.ts", script(answers("two")));
      await launched.told(({ event }) => event === "updated", from);
      assertEquals((await launched.reply("hello")).result, "two");
    });
    for (const { reply } of calls) {
      assert(["one", "two"].includes(reply.result), JSON.stringify(reply));
    }
    const replicas = await launched.replicas();
    assertEquals(replicas.map(({ state }) => state), ["ready", "ready", "ready"]);
    const running = (await sandbox.processes()).map(({ pid }) => pid);
    // with the launcher and the bundler, which waits for the next change
    assertEquals(running.length, 5);
    assert(replicas.every(({ pid }) => running.includes(pid!)));
  },
);
