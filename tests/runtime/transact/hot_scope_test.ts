// One scope that everybody changes.
import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import type { Storage } from "../../../runtime/storage/storage.ts";
import { Transactor } from "../../../runtime/transact/transactor.ts";
import { seeded } from "../../support/seeded.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { scopeId } from "./scripted_storage.ts";

const REPLICAS = 4;
const CALLERS = 64;
/** How long it goes on, and how long a request takes each way, in milliseconds. */
const DURATION = 1_000;
const ONE_WAY = 1;

Deno.test("Transactor.run() is exact on a hot scope, fair to replicas, and lets nobody wait for long", async () => {
  using clock = new VirtualClock();
  const random = seeded(1);
  const data = memoryData();
  const travel = () =>
    new Promise((resolve) => setTimeout(resolve, ONE_WAY * (0.5 + random.next())));
  const far = (): Storage => {
    const near = memoryStorage({ namespace: "test", data });
    return {
      ...near,
      async commit(batch) {
        await travel();
        const results = await near.commit(batch);
        await travel();
        return results;
      },
    };
  };
  const transactors = Array.from(
    { length: REPLICAS },
    () => new Transactor({ storage: far(), random: random.next }),
  );
  const scope = scopeId("hot");
  const counts = transactors.map(() => 0);
  const latencies: number[] = [];
  const end = performance.now() + DURATION;
  let isOver = false;
  const all = Promise.all(
    transactors.flatMap((transactor, replica) =>
      Array.from({ length: CALLERS }, async () => {
        while (performance.now() < end) {
          const began = performance.now();
          await transactor.run((view) => {
            const hot = view.open(scope);
            hot.n = (hot.n ?? 0) + 1;
          }, { timeout: 30_000, scopes: [scope] });
          latencies.push(performance.now() - began);
          counts[replica]!++;
        }
      })
    ),
  ).finally(() => isOver = true);
  while (!isOver) await clock.pass(10);
  await all;
  const total = latencies.length;
  const look = transactors[0]!.run((view) => view.open(scope).n, { timeout: 30_000 });
  await clock.pass(100);
  assertEquals(await look, total);
  assertGreaterOrEqual(Math.min(...counts), total / REPLICAS / 2, `${counts}`);
  latencies.sort((a, b) => a - b);
  assertLess(latencies[Math.floor(total * 0.99)]!, 100);
  // those who wait travel together: far more are done than round trips could be made
  assert(total > 10 * DURATION / ONE_WAY, `${total}`);
  for (const transactor of transactors) await transactor.close();
});
