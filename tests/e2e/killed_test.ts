// What happens when processes are killed with SIGKILL, which nobody can prepare for.
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { needsSystem, testWith } from "../support/needs.ts";
import { mpSandbox } from "../support/mp.ts";
import { ask, type Call, storm } from "./callers.ts";
import { APP, launch, script, untilNoneRuns, urlOf } from "./launched.ts";

const CALLERS = 16;

const scatter = `
const leaf = async (_: unknown, { replica }: mp.Context) => {
  // so that every leaf has calls to answer at any time
  await new Promise((resolve) => setTimeout(resolve, 5));
  return replica.name;
};
mp.service("all", mp.scatter(4, leaf, (parts) => parts), { expose: true });
`;
const LEAVES = [0, 1, 2, 3].map((i) => `all.scatter.${i}`);

/** What is neither an answer nor a clear error. */
function isUnclear({ reply: { result, error } }: Call, killed: string): boolean {
  if (error === undefined) return JSON.stringify(result) !== JSON.stringify(LEAVES);
  const { code, service, replica } = error.data ?? {};
  return code !== "replica_unreachable" || service !== "all" || replica !== killed ||
    !error.message.includes(killed);
}

testWith(
  needsSystem("linux", "darwin"),
  "a leaf that is killed under load is back in under a second, and no caller hangs",
  async () => {
    await using launched = await launch(scatter);
    const callers = new Array(CALLERS).fill(() => launched.reply("all"));
    const absences: number[] = [];
    for (const index of [1, 3, 2]) {
      const killed = `all.scatter.${index}`;
      const pid = await launched.pidOf(killed);
      let answered = 0;
      const calls = await storm(callers, async () => {
        while (answered++ < CALLERS) await launched.reply("all");
        const from = launched.program.lines.length;
        const time = Date.now();
        Deno.kill(pid, "SIGKILL");
        const back = await launched.told(
          (told) => told.index === index && told.state === "ready" && told.pid !== pid,
          from,
        );
        absences.push(back.time! - time);
      });
      assertEquals(calls.filter((call) => isUnclear(call, killed)), []);
      // a call waits for a replica that is on its way, but not for longer than it needs to be back
      assertLess(Math.max(...calls.map(({ took }) => took)), 10_000);
      // afterwards all succeed
      const later = await Promise.all(callers.map((call) => call()));
      assertEquals(later, later.map(() => ({ jsonrpc: "2.0", id: 1, result: LEAVES })));
    }
    // one of the three may have met a machine that was busy with something else
    absences.sort((a, b) => a - b);
    assertLess(absences[1]!, 1000, `${absences}`);
  },
);

testWith(
  needsSystem("linux", "darwin"),
  "the replica with the door comes back at its port when it is killed",
  async () => {
    await using launched = await launch(scatter);
    const pid = await launched.pidOf("all.gather.0");
    const from = launched.program.lines.length;
    Deno.kill(pid, "SIGKILL");
    await launched.told(
      (told) => told.path === "all.gather" && told.state === "ready" && told.pid !== pid,
      from,
    );
    assertEquals((await launched.reply("all")).result, LEAVES);
  },
);

const endless = `
const spin = (_: unknown, { replica }: mp.Context): string => {
  console.log("spins: " + replica.name);
  for (;;);
};
mp.service("all", mp.scatter(4, spin, (parts) => parts), { expose: true });
mp.service("one", spin, { expose: true });
`;

testWith(
  needsSystem("linux", "darwin"),
  "no process outlives the launcher by two seconds when it is killed while every handler computes",
  async () => {
    await using launched = await launch(endless);
    const { sandbox, program } = launched;
    const lost = ["all", "one"].map((service) =>
      launched.reply(service).then((reply) => assert(reply.error), () => {})
    );
    for (const name of [...LEAVES, "one.0"]) {
      await launched.told(({ text }) => text === `spins: ${name}`);
    }
    // the launcher, the ingress, a gather, four leaves and the other service
    assertGreater((await sandbox.processes()).length, 7);
    program.kill("SIGKILL");
    assertLess(await untilNoneRuns(sandbox), 2000);
    await Promise.all(lost);
    // what a killed launcher left stands in nobody's way
    assertEquals((await sandbox.run(["ps", "--json"])).stdout.trim(), "[]");
    const next = sandbox.start(["run", launched.script, "--port", new URL(launched.url).port]);
    await next.line("listening on");
    next.kill("SIGINT");
    assertEquals((await next.ended).code, 0);
  },
);

testWith(
  needsSystem("linux", "darwin"),
  "a launcher in the background leaves no process either when it is killed",
  async () => {
    await using sandbox = await mpSandbox();
    const file = await sandbox.write(`${APP}.ts`, script(endless));
    const { code, stdout, stderr } = await sandbox.run(
      ["run", "-d", "--wait", "--json", "--port", "0", file],
    );
    assertEquals(code, 0, stderr);
    const { pid, ...handle } = JSON.parse(stdout);
    const lost = ask(urlOf(handle), "one").then((reply) => assert(reply.error), () => {});
    const logs = sandbox.start(["logs", APP, "--follow"]);
    await logs.line("spins: one.0");
    logs.kill("SIGINT");
    await logs.ended;
    assertEquals((await sandbox.processes()).length, 8);
    Deno.kill(pid, "SIGKILL");
    assertLess(await untilNoneRuns(sandbox), 2000);
    await lost;
  },
);
