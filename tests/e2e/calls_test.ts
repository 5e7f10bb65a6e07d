// Calls while replicas are killed, stopped and slow: each has one answer or one error, and none runs twice.
import { assert, assertEquals } from "@std/assert";
import { needsSystem, testWith } from "../support/needs.ts";
import { ask, type Call, type Reply, storm } from "./callers.ts";
import { launch, type Launched } from "./launched.ts";

/** Each run of a handler is a line: which part it was, and which call. */
const body = `
interface Ask { id: string; key: number }
const file = new URL("./runs.txt", import.meta.url);
const part = ({ path, name }: mp.ReplicaInfo) => path.startsWith("any.") || path.startsWith("safe.") ? path : name;
let slow = false;
if (Deno.env.get("MP_REPLICA")) Deno.addSignalListener("SIGUSR2", () => slow = !slow);
const work = async ({ id }: Ask, { replica }: mp.Context) => {
  Deno.writeTextFileSync(file, part(replica) + " " + id + " " + replica.name + "\\n", { append: true });
  await new Promise((resolve) => setTimeout(resolve, slow ? 300 : 15));
  return replica.name;
};
const all = (parts: string[]) => parts;
const key = ({ key }: Ask) => key;
const timeout = 20_000;
mp.service("all", mp.scatter({ replicas: 2, leaf: work, gather: all, timeout }), { expose: true });
mp.service("one", mp.shard({ replicas: 2, key, target: work, timeout }), { expose: true });
mp.service("any", mp.spread({ replicas: 3, target: work, timeout }), { expose: true });
mp.service("deep", mp.shard({ replicas: 2, key, target: mp.scatter(2, work, all), timeout }), { expose: true });
const hedge = { after: 100 };
mp.service("safe", mp.spread({ replicas: 3, target: work, timeout, idempotent: true, hedge }), { expose: true });
mp.service("tick", () => new Promise<number>((resolve) => setTimeout(resolve, 5, 1)), { expose: true });
`;
const SERVICES = ["all", "one", "any", "deep", "safe"];
/** What may be wrong with a call of what is not idempotent, when its replica ends or does not answer. */
const CLEAR = ["replica_unreachable", "deadline_exceeded"];
/** One of the replicas of each service, and one that has parts of its own. */
const VICTIMS = [
  "all.scatter.1",
  "one.compute.0",
  "any.compute.1",
  "deep.compute.1",
  "safe.compute.2",
];
const CALLERS = 4;
/** How many calls of each caller succeed when all is well. */
const CALLS = 10;

let calls = 0;

/** Callers that take turns with the services. */
function callersOf({ url }: Launched): (() => Promise<Reply & { service: string }>)[] {
  return SERVICES.flatMap((service) =>
    Array.from({ length: CALLERS }, (_, key) => async () => {
      const id = `${service}-${calls++}`;
      return { service, ...await ask(url, service, { id, key }) };
    })
  );
}

/** What is neither right nor a clear error. */
function unclear(done: readonly Call[]): unknown[] {
  return done.filter(({ reply }) => {
    const { service, result, error } = reply as Reply & { service: string };
    if (error === undefined) return ![result].flat().every((name) => name.startsWith(service));
    if (service === "safe") return true;
    const { code, replica, service: at } = error.data ?? {};
    return !CLEAR.includes(code!) || replica === undefined || at !== service;
  });
}

/** Calls that ran more than once where they must not. */
async function runTwice({ sandbox }: Launched): Promise<string[]> {
  const lines = (await Deno.readTextFile(`${sandbox.folder}/runs.txt`)).trimEnd().split("\n");
  const runs = lines.map((line) => line.split(" ").slice(0, 2).join(" "))
    .filter((run) => !run.startsWith("safe."));
  const seen = new Set<string>();
  return runs.filter((run) => seen.size === seen.add(run).size);
}

/** Waits until every replica has answered again, and every call succeeds. */
async function untilWell(launched: Launched): Promise<void> {
  const leaves = (await launched.replicas())
    .map(({ path, index }) => `${path}.${index}`)
    .filter((name) =>
      /^(all\.scatter|one\.compute|any\.compute|deep\.compute\.scatter|safe\.compute)\.\d+$/.test(
        name,
      )
    );
  const answered = new Set<string>();
  const callers = callersOf(launched);
  for (let rounds = 0; answered.size < leaves.length; rounds++) {
    assert(rounds < 2_000, `${leaves.filter((leaf) => !answered.has(leaf))} are left out`);
    for (const { result } of await Promise.all(callers.map((call) => call()))) {
      for (const name of [result ?? []].flat()) answered.add(name);
    }
  }
  // as many calls as before come through, side by side, and none fails
  const replies = await Promise.all(callers.map(async (call) => {
    const own = [];
    for (let i = 0; i < CALLS; i++) own.push(await call());
    return own;
  }));
  assertEquals(replies.flat().filter(({ error }) => error), []);
}

/** Resolves when so many calls of a service that nothing happens to have been answered. */
async function ticks({ url }: Launched, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assertEquals((await ask(url, "tick")).result, 1);
}

testWith(
  needsSystem("linux", "darwin"),
  "replicas are killed, stopped and slow under load: one answer or one error for each call, and no second run",
  async () => {
    await using launched = await launch(body);
    const pids = new Map(
      (await launched.replicas()).map(({ path, index, pid }) => [`${path}.${index}`, pid!]),
    );
    const faults: Record<string, () => Promise<void>> = {
      async slow() {
        for (const victim of VICTIMS) Deno.kill(pids.get(victim)!, "SIGUSR2");
        await ticks(launched, 150);
        for (const victim of VICTIMS) Deno.kill(pids.get(victim)!, "SIGUSR2");
      },
      async stopped() {
        for (const victim of VICTIMS) Deno.kill(pids.get(victim)!, "SIGSTOP");
        try {
          await ticks(launched, 150);
        } finally {
          for (const victim of VICTIMS) Deno.kill(pids.get(victim)!, "SIGCONT");
        }
      },
      async killed() {
        const from = launched.program.lines.length;
        for (const victim of VICTIMS) Deno.kill(pids.get(victim)!, "SIGKILL");
        for (const victim of VICTIMS) {
          await launched.told(
            ({ path, index, state, pid }) =>
              `${path}.${index}` === victim && state === "ready" && pid !== pids.get(victim),
            from,
          );
        }
      },
    };
    const callers = callersOf(launched);
    await untilWell(launched);
    for (const [kind, strike] of Object.entries(faults)) {
      const done = await storm(callers, async () => {
        // there is no call under way at first
        await ticks(launched, 20);
        await strike();
      });
      assertEquals(unclear(done), [], kind);
      assertEquals(done.filter(({ took }) => took > 30_000), [], kind);
      await untilWell(launched);
      assertEquals(await runTwice(launched), [], kind);
    }
  },
);
