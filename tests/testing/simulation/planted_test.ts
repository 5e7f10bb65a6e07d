// Bugs planted on purpose: each is found by the simulation, and its seed replays it.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { simulate, type SimulateOptions, SimulationError } from "@metaparticle/mp/testing";
import { storages } from "../../../drivers/storage/storages.ts";
import * as api from "../../../mod.ts";
import type { PatternTarget } from "../../../runtime/topology/target.ts";
import { makeSimulate, type Simulate } from "../../../testing/simulation/simulate.ts";

const at = (path: string) => import.meta.resolve(path);

/** Expects that a simulation fails, that its seed replays the failure, and that nothing else is needed. */
async function finds(
  script: string,
  options: SimulateOptions,
  run: Simulate = simulate,
): Promise<SimulationError> {
  const found = await assertRejects(
    () => run(script, { runs: 2_000, ...options }),
    SimulationError,
  );
  const again = await assertRejects(
    () => run(script, { ...options, seed: found.seed }),
    SimulationError,
  );
  assertEquals(again.history, found.history);
  assertEquals(again.faults, found.faults);
  return found;
}

Deno.test("simulate() finds a lost update", async () => {
  let acknowledged = 0;
  const error = await finds(at("./planted/lost_update.ts"), {
    async scenario(app, world) {
      acknowledged = 0;
      await world.clients(3, async () => {
        for (let i = 0; i < 3; i++) {
          await app.call("counter", 1).then(() => acknowledged++, () => {});
        }
      });
    },
    eventually(_app, { scope }) {
      const sum = scope<{ sum: number }>("count")?.sum ?? 0;
      if (sum < acknowledged) throw new Error(`${acknowledged} were added, and ${sum} are there`);
    },
  });
  assertEquals(error.faults, [], "no fault is needed for it");
});

Deno.test("simulate() finds a retry that is applied twice", async () => {
  let asked = 0;
  const error = await finds(at("./planted/double_retry.ts"), {
    async scenario(app, world) {
      asked = 0;
      await world.clients(2, async () => {
        for (let i = 0; i < 3; i++) {
          asked++;
          await app.call("till", 1).catch(() => {});
        }
      });
    },
    always({ scope }) {
      const sum = scope<{ sum: number }>("count")?.sum ?? 0;
      if (sum > asked) throw new Error(`${asked} were asked for, and ${sum} are there`);
    },
  });
  assert(error.faults.length > 0);
  assert(error.faults.length <= error.faultsBefore);
});

Deno.test("simulate() finds a request that leaks into the answer to another", async () => {
  await finds(at("./planted/leaked_request.ts"), {
    async scenario(app, world) {
      await world.clients(4, async (index) => {
        await world.delay(world.below(30));
        const answer = await app.call<string>("greeting", `client ${index}`).catch(() => undefined);
        if (answer === undefined || answer === `hello, client ${index}`) return;
        throw new Error(`client ${index} was told "${answer}"`);
      });
    },
  });
});

Deno.test("simulate() finds a router that forgets a replica after it was lost", async () => {
  const forgetful = (...args: Parameters<typeof api.scatter>) => {
    const pattern = api.scatter(...args) as PatternTarget;
    const gone = new Set<number>();
    return {
      ...pattern,
      async route(
        call: Parameters<PatternTarget["route"]>[0],
        { scatter }: Parameters<PatternTarget["route"]>[1],
      ) {
        const parts: unknown[] = [];
        for (let i = 0; i < scatter!.replicas; i++) {
          if (gone.has(i)) continue;
          // it was not there once, so it is taken for never there
          parts.push(
            await scatter!.call(i, call).then((reply) => reply.value, (error) => {
              gone.add(i);
              throw error;
            }),
          );
        }
        return parts;
      },
    };
  };
  const run = makeSimulate({ api: { ...api, scatter: forgetful }, storages });
  const words = at("../topologies/words.ts");
  const options: SimulateOptions = {
    async scenario(app, world) {
      await world.clients(2, async () => {
        for (let i = 0; i < 5; i++) {
          await app.call("words", "x", { timeout: 1_000 }).catch(() => {});
          await world.delay(world.below(50));
        }
      });
    },
    async eventually(app) {
      const parts = await app.call<unknown[]>("words", "x");
      if (parts.length !== 3) throw new Error(`only ${parts.length} replicas were asked`);
    },
  };
  const error = await finds(words, options, run);
  assert(error.faults.length > 0);
  await simulate(words, { ...options, runs: 50 });
});

Deno.test("simulate() finds a body that acts on a state that never existed", async () => {
  let sold = 0;
  await finds(at("./planted/unreal_state.ts"), {
    async scenario(app, world) {
      sold = 0;
      await world.clients(3, async () => {
        for (let i = 0; i < 3; i++) {
          if (await app.call("tickets").catch(() => false)) sold++;
        }
      });
    },
    eventually() {
      if (sold > 5) throw new Error(`${sold} tickets were sold, of 5`);
    },
  });
});
