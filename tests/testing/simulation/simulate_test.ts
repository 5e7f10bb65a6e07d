import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  MpError,
  simulate,
  type SimulateOptions,
  SimulationError,
  start,
} from "@metaparticle/mp/testing";

const counter = import.meta.resolve("../topologies/counter.ts");

/** Three clients that count. */
const counting: SimulateOptions = {
  async scenario(app, world) {
    await world.clients(3, async (client) => {
      for (let i = 0; i < 3; i++) {
        await app.call<number>("counter", 1, { timeout: 2_000 }).then(
          (sum) => world.note(`client ${client} counted ${sum}`),
          (error) => world.note(`client ${client} failed: ${error.message}`),
        );
      }
    });
  },
};

/** A script in a file of its own, with what is there of it between. */
async function withScript(body: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      path,
      `import * as mp from "@metaparticle/mp";\nmp.app("s");\n${body}`,
    );
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("simulate() gives the same history for the same seed, byte for byte", async () => {
  const histories: string[] = [];
  for (const seed of ["3", "4", "3", "4"]) {
    histories.push((await simulate(counter, { ...counting, seed })).history);
  }
  assertEquals(histories[2], histories[0]);
  assertEquals(histories[3], histories[1]);
  assert(histories[0] !== histories[1]);
});

Deno.test("simulate() gives the same history in another process", async () => {
  const program = new URL("./history_program.ts", import.meta.url).pathname;
  const run = async () => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--unstable-net", "--no-check", program],
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    return new TextDecoder().decode(stdout);
  };
  const [one, other] = await Promise.all([run(), run()]);
  assertEquals(one, other);
  assertMatch(one!, /commits count = \{"sum":1\}/);
});

Deno.test("simulate() counts right under all faults", async () => {
  let acknowledged = 0;
  const result = await simulate(counter, {
    runs: 60,
    async scenario(app, world) {
      acknowledged = 0;
      await world.clients(3, async () => {
        for (let i = 0; i < 3; i++) {
          await app.call("counter", 1, { timeout: 2_000 }).then(() => acknowledged++, () => {});
        }
      });
    },
    always({ scope }) {
      const sum = scope<{ sum: number }>("count")?.sum ?? 0;
      if (sum > 9) throw new Error(`${sum} is more than was asked for`);
    },
    async eventually(app) {
      const sum = await app.call<number>("counter", 0);
      if (sum < acknowledged) {
        throw new Error(`${acknowledged} were acknowledged, ${sum} are there`);
      }
    },
  });
  assertEquals(result.runs, 60);
  assert(result.faults > 60, `only ${result.faults} faults`);
});

Deno.test("simulate() runs without faults when told to, and with some kinds only", async () => {
  const none = await simulate(counter, { ...counting, runs: 5, faults: false });
  assertEquals(none.faults, 0);
  const crashes = await simulate(counter, { ...counting, runs: 10, faults: ["crash"] });
  assert(crashes.faults > 0);
  const unknown = await assertRejects(
    () => simulate(counter, { ...counting, faults: ["rain" as "crash"] }),
    MpError,
  );
  assertMatch(unknown.next!, /crash, pause/);
});

Deno.test("simulate() makes a failing run shorter, and tells how to replay it", async () => {
  const options: SimulateOptions = {
    async scenario(app, world) {
      await world.clients(3, async () => {
        // no call may fail: too much to ask under faults
        await app.call("counter", 1, { timeout: 2_000 });
      });
    },
  };
  const error = await assertRejects(
    () => simulate(counter, { ...options, runs: 200 }),
    SimulationError,
  );
  assertEquals(error.faults.length, 1, error.message);
  assert(error.faultsBefore >= 1);
  assertMatch(
    error.message,
    /The simulation failed with the seed "\d+(:[\d,]+)?": the scenario failed/,
  );
  assertMatch(error.message, /fault \d: .* \(after \d+ messages\)/);
  assert(error.cause instanceof MpError);
  const again = await assertRejects(
    () => simulate(counter, { ...options, seed: error.seed }),
    SimulationError,
  );
  assertEquals(again.history, error.history);
  await simulate(counter, { ...options, seed: `${error.seed.split(":")[0]}:` });
});

Deno.test("simulate() gives replicas time, randomness and timers of the seed", async () => {
  await withScript(
    `
    import { randomBytes } from "node:crypto";
    mp.service("now", async () => {
      const before = [Date.now(), performance.now(), new Date().toISOString()];
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return {
        before,
        took: performance.now() - (before[1] as number),
        random: [Math.random(), crypto.randomUUID(), randomBytes(4).toString("hex")],
      };
    }, { replicas: 2, expose: true });`,
    async (script) => {
      const answers: unknown[] = [];
      for (const seed of ["1", "1", "2"]) {
        await simulate(script, {
          seed,
          faults: false,
          async scenario(app) {
            answers.push([await app.call("now"), await app.call("now"), Math.random(), Date.now()]);
          },
        });
      }
      assertEquals(answers[0], answers[1]);
      assert(JSON.stringify(answers[0]) !== JSON.stringify(answers[2]));
      type Answer = { took: number; random: unknown[]; before: [number, number, string] };
      const [one, other] = answers[0] as [Answer, Answer];
      assert(one.took === 5_000, "virtual time is exact");
      assert(JSON.stringify(one.random) !== JSON.stringify(other.random));
      assertMatch(one.before[2], /^2026-01-01T00:00:00/);
    },
  );
});

Deno.test("simulate() refuses by name what is not the same each time", async () => {
  const cases: [body: string, name: string][] = [
    ['fetch("http://localhost")', "fetch"],
    ['new WebSocket("ws://localhost")', "WebSocket"],
    ["crypto.subtle", "crypto.subtle"],
    ['Deno.readTextFileSync("/etc/hostname")', "Deno.readTextFileSync"],
    ["Deno.connect({ port: 1 })", "Deno.connect"],
    ['new Deno.Command("true")', "Deno.Command"],
    ['Deno.dlopen("x", {})', "Deno.dlopen"],
    ['require("node:fs")', "node:fs"],
    ['require("node:net")', "node:net"],
    ['require("node:child_process")', "node:child_process"],
    ['require("node:crypto").generateKeyPairSync("rsa")', "node:crypto.generateKeyPairSync"],
    ["process.memoryUsage()", "process.memoryUsage"],
    ["navigator.hardwareConcurrency", "navigator"],
  ];
  for (const [body, name] of cases) {
    await withScript(
      `declare const require: any;\nmp.service("a", () => { ${body}; return 1; }, { expose: true });`,
      async (script) => {
        const error = await assertRejects(
          () => simulate(script, { runs: 1, faults: false, scenario: (app) => app.call("a") }),
          SimulationError,
          `Cannot use ${name} in a simulation`,
        );
        assertEquals((error.cause as MpError).code, "unsupported");
      },
    );
  }
  await withScript(
    'mp.service("a", (name: string) => import(name));',
    async (script) => {
      await assertRejects(
        () => simulate(script, counting),
        MpError,
        "Cannot use import() of a computed name in a simulation",
      );
    },
  );
});

Deno.test("simulate() tells of a scenario that waits for what never comes", async () => {
  await withScript('mp.service("a", () => 1, { expose: true });', async (script) => {
    const error = await assertRejects(
      () => simulate(script, { runs: 1, scenario: () => new Promise(() => {}) }),
      SimulationError,
      "nothing happens any more",
    );
    assertMatch((error.cause as MpError).next!, /wait only for the app/);
  });
});

Deno.test("simulate() refuses what the app itself cannot do in it", async () => {
  await assertRejects(
    () => simulate(counter, { runs: 1, scenario: async (app) => void await app.metrics() }),
    SimulationError,
    "Cannot use app.metrics() in a simulation",
  );
});

Deno.test("simulate() tells of promises that nobody catches", async () => {
  await withScript(
    'mp.service("a", () => { Promise.reject(new Error("not caught")); }, { expose: true });',
    async (script) => {
      await assertRejects(
        () => simulate(script, { runs: 1, faults: false, scenario: (app) => app.call("a") }),
        SimulationError,
        "a promise was rejected and nobody caught it: not caught",
      );
    },
  );
});

Deno.test("simulate() asks eventually again, and fails when it never holds", async () => {
  let asked = 0;
  await simulate(counter, {
    runs: 1,
    faults: false,
    scenario() {},
    eventually: () => ++asked >= 5,
  });
  assertEquals(asked, 5);
  await assertRejects(
    () => simulate(counter, { runs: 1, faults: false, scenario() {}, eventually: () => false }),
    SimulationError,
    "what must hold eventually does not: it returned false",
  );
});

Deno.test("simulate() checks always between two steps", async () => {
  const error = await assertRejects(
    () =>
      simulate(counter, {
        ...counting,
        runs: 1,
        faults: false,
        always({ scope, scopes, now }) {
          if (now() > 0 && scopes().includes("count") && scope<{ sum: number }>("count")!.sum > 2) {
            throw new Error("that is too much");
          }
        },
      }),
    SimulationError,
    "what must always hold does not: that is too much",
  );
  // the history ends where it stopped to hold
  assertMatch(error.history.split("\n").at(-2)!, /commits count = \{"sum":3\}/);
  await assertRejects(
    () =>
      simulate(counter, {
        ...counting,
        runs: 1,
        always: (() => Promise.resolve()) as unknown as () => void,
      }),
    SimulationError,
    "always() must not wait",
  );
});

Deno.test("simulate() runs one at a time, and not beside a running app", async () => {
  const results = await Promise.all(
    [1, 1].map((seed) => simulate(counter, { ...counting, seed, runs: 3 })),
  );
  assertEquals(results[0]!.history, results[1]!.history);
  {
    await using _app = await start(counter);
    await assertRejects(
      () => simulate(counter, counting),
      MpError,
      '"counter" runs in this process',
    );
  }
  await simulate(counter, { ...counting, runs: 1 });
});

Deno.test("simulate() names a wrong seed and a wrong number of runs", async () => {
  for (const seed of ["x", "1:x", -1, 1.5, ""]) {
    await assertRejects(() => simulate(counter, { ...counting, seed }), RangeError, "the seed");
  }
  await assertRejects(() => simulate(counter, { ...counting, runs: 0 }), RangeError, "0 runs");
});

Deno.test("simulate() puts the process's globals back, also after a failure", async () => {
  const before = [
    setTimeout,
    Date,
    Math.random,
    performance.now,
    crypto.randomUUID,
    AbortSignal.timeout,
  ];
  await simulate(counter, { ...counting, runs: 1 });
  await simulate(counter, {
    runs: 1,
    scenario() {
      throw new Error("x");
    },
  }).catch(() => {});
  assertEquals(
    [setTimeout, Date, Math.random, performance.now, crypto.randomUUID, AbortSignal.timeout],
    before,
  );
  assert(!Object.hasOwn(crypto, "randomUUID"));
});
