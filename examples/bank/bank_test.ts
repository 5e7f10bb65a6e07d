/**
 * Tests of the bank, from its plan to a simulation: `deno test -A` runs them, or `mp test`.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import {
  assertDependsOn,
  assertOnlyExposed,
  assertReplicas,
  planOf,
  simulate,
  type SimulateOptions,
  SimulationError,
  start,
} from "@metaparticle/mp/testing";

const topology = import.meta.resolve("./topology.ts");
const hasty = import.meta.resolve("./hasty_topology.ts");

const NAMES = ["ada", "bea", "cyd"];
const EACH = 100;
const opening = Object.fromEntries(
  NAMES.map((name) => [`account ${name}`, { balance: EACH }]),
);

Deno.test("the bank's plan: three replicas transfer, and only the services can be called", async () => {
  const plan = await planOf(topology);
  assertReplicas(plan, "transfer.compute", 3);
  assertDependsOn(plan, "transfer", "transfer.compute");
  assertOnlyExposed(plan, "transfer", "balance");
});

Deno.test("a transfer moves money", async () => {
  await using app = await start(topology);
  await app.storage.seed(opening);
  assertEquals(await app.call("transfer", { from: "ada", to: "bea", amount: 30 }), 70);
  assertEquals(await app.call("balance", "bea"), 130);
});

Deno.test("nobody gives what they do not have", async () => {
  await using app = await start(topology);
  await app.storage.seed(opening);
  await assertRejects(
    () => app.call("transfer", { from: "ada", to: "bea", amount: 101 }),
    Error,
    "ada has 100, not 101",
  );
  assertEquals(await app.storage.read("account ada"), { balance: 100 });
});

Deno.test("a replica that crashes loses nothing", async () => {
  await using app = await start(topology);
  await app.storage.seed(opening);
  await app.call("transfer", { from: "ada", to: "bea", amount: 10 });
  for (const index of [0, 1, 2]) await app.replica("transfer.compute", index).kill();
  await app.call("transfer", { from: "ada", to: "bea", amount: 10 });
  assertEquals(await app.storage.read("account ada"), { balance: 80 });
});

Deno.test("a partition stops transfers, and they go on when it heals", async () => {
  await using app = await start(topology);
  await app.storage.seed(opening);
  {
    using _partition = app.network.partition("transfer.shard", "transfer.compute");
    await assertRejects(() =>
      app.call("transfer", { from: "ada", to: "bea", amount: 10 }, { timeout: 100 })
    );
  }
  await app.call("transfer", { from: "bea", to: "cyd", amount: 5 });
  assertEquals(await app.storage.read("account cyd"), { balance: 105 });
});

/** Three clients move money around, and whatever fails, none is made and none is lost. */
const busyDay: SimulateOptions = {
  async scenario(app, world) {
    await app.storage.seed(opening);
    await world.clients(3, async () => {
      for (let i = 0; i < 4; i++) {
        const from = world.pick(NAMES);
        const to = world.pick(NAMES.filter((name) => name !== from));
        const amount = 1 + world.below(60);
        // a transfer may fail; what it must not do is happen by halves
        await app.call("transfer", { from, to, amount }, { timeout: 3_000 }).catch(() => {});
      }
    });
  },
  always({ scope, scopes }) {
    if (scopes().length < NAMES.length) return;
    const balances = NAMES.map((name) => scope<{ balance: number }>(`account ${name}`)!.balance);
    const sum = balances.reduce((sum, balance) => sum + balance, 0);
    if (sum !== NAMES.length * EACH) {
      throw new Error(`there are ${sum} in all: ${balances.join(", ")}`);
    }
    if (balances.some((balance) => balance < 0)) throw new Error(`someone owes: ${balances}`);
  },
};

Deno.test("money is neither made nor lost, under crashes, partitions and lost replies", async () => {
  await simulate(topology, { ...busyDay, runs: 100 });
});

Deno.test("the hasty bank is found out, and the seed replays it", async () => {
  // its transfers are two transactions, so only the end of a day tells
  const { always, scenario } = busyDay;
  const day: SimulateOptions = {
    scenario,
    faults: false,
    eventually: (_app, moment) => always!(moment),
  };
  const found = await assertRejects(() => simulate(hasty, day), SimulationError, "in all");
  const again = await assertRejects(
    () => simulate(hasty, { ...day, seed: found.seed }),
    SimulationError,
  );
  assertEquals(again.history, found.history);
});
