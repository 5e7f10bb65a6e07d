// Containers that are killed, and replaced, while many call.
import { assertEquals, assertNotEquals } from "@std/assert";
import { testEngine } from "../../support/engine.ts";
import { testWith } from "../../support/needs.ts";
import {
  attach,
  type Attached,
  containersOf,
  mp,
  needs,
  PATIENCE,
  script,
  withEngine,
} from "./with_engine.ts";

/** Calls again and again over connections of their own, for as long as `work` takes and once more. */
async function storm(
  { call }: Pick<Attached, "call">,
  callers: number,
  work: () => Promise<void>,
): Promise<{ answers: unknown[]; errors: string[] }> {
  const [answers, errors]: [unknown[], string[]] = [[], []];
  let going = true;
  const all = Promise.all(Array.from({ length: callers }, async () => {
    for (let last = false; !last;) {
      last = !going;
      await call("all").then(
        (answer) => answers.push(answer),
        ({ message }) => errors.push(message),
      );
    }
  }));
  await work().finally(() => going = false);
  await all;
  return { answers, errors };
}

const SCATTER = script(`
  const leaf = async (_, { replica }) => {
    // so that every leaf has calls to answer at any time
    await new Promise((resolve) => setTimeout(resolve, 5));
    return replica.name;
  };
  mp.service("all", mp.scatter({ replicas: 3, leaf, gather: (parts) => parts, expose: true, idempotent: true }));`);
const LEAVES = [0, 1, 2].map((i) => `all.scatter.${i}`);

testWith(
  needs,
  "a leaf that docker kill ends under load is started again, and no call fails",
  async () => {
    await withEngine("docker-killed", async (sandbox) => {
      const file = await sandbox.write("docker-killed.ts", SCATTER);
      const attached = await attach(sandbox, file);
      const { program } = attached;
      const { answers, errors } = await storm(attached, 8, async () => {
        const [victim] = (await containersOf("docker-killed", "all.scatter"))
          .filter(({ Names }) => Names[0]!.endsWith(".1"));
        const from = program.lines.length;
        await testEngine().json("POST", `/containers/${victim!.Id}/kill`);
        await program.line("killed by SIGKILL", { ...PATIENCE, from });
        await program.line("is ready again", { ...PATIENCE, from });
      });
      assertEquals(errors.filter((message) => !message.includes("all.scatter.1")), []);
      assertEquals(answers.filter((one) => JSON.stringify(one) !== JSON.stringify(LEAVES)), []);
      assertNotEquals(answers.length, 0);
      assertEquals(await attached.call("all"), LEAVES);
      await attached.stop();
    });
  },
);

const revision = (name: string) =>
  script(`
  mp.service("all", mp.scatter(2, () => ${JSON.stringify(name)}, (parts) => [...parts, ${
    JSON.stringify(name)
  }]), { expose: true });`);

testWith(
  needs,
  "updates move no port: no call is refused, and none is answered by two revisions",
  async () => {
    await withEngine("docker-updated", async (sandbox) => {
      const file = await sandbox.write("docker-updated.ts", revision("first"));
      const attached = await attach(sandbox, file);
      const { answers, errors } = await storm(attached, 6, async () => {
        for (const name of ["second", "third"]) {
          await Deno.writeTextFile(file, revision(name));
          await mp(sandbox, "run", file, "--driver", "docker", "-d", "--wait", "--timeout", "3m");
          assertEquals(await attached.call("all"), [name, name, name]);
        }
      });
      assertEquals(errors, []);
      const words = answers.map((one) => [...new Set(one as string[])]);
      assertEquals(words.filter((each) => each.length !== 1), []);
      assertEquals(new Set(words.flat()), new Set(["first", "second", "third"]));
      const names = (await containersOf("docker-updated"))
        .map(({ Names }) => Names[0]!.slice("/docker-updated.".length)).sort();
      assertEquals(names.map((name) => name.replace(/[0-9a-f]{6}$/, "…")), [
        "all.gather.0",
        "all.scatter.0",
        "all.scatter.1",
        "door-…",
      ]);

      // what keeps the port goes on when it is killed, and when its launcher leaves
      const [keeper] = (await containersOf("docker-updated")).filter(({ Names }) =>
        Names[0]!.includes(".door-")
      );
      await testEngine().json("POST", `/containers/${keeper!.Id}/kill`);
      let answer: unknown;
      while (JSON.stringify(answer) !== '["third","third","third"]') {
        answer = await attached.call("all").catch(() => {});
      }
      await attached.stop();
    });
  },
);
