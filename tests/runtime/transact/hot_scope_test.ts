// One scope that everybody changes.
import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import type { Storage } from "../../../runtime/storage/storage.ts";
import { replicaTag, tagOf } from "../../../runtime/storage/version.ts";
import { Transactor } from "../../../runtime/transact/transactor.ts";
import { seeded } from "../../support/seeded.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { scopeId } from "./scripted_storage.ts";

const CALLERS = 64;
/** How long it goes on, and how long a request takes each way, in milliseconds. */
const DURATION = 1_000;
const ONE_WAY = 1;

interface Hot {
  readonly replicas: number;
  /** By how much of itself the time of a request varies. */
  readonly jitter: number;
  /** How often what has come is written to the disk together, before which nothing is answered. Default: at once. */
  readonly disk?: number;
  /** What part of what replicas hand on to each other gets lost. Default: they do not reach each other. */
  readonly lost?: number;
}

/** Callers in replicas that change one scope as fast as they can. */
async function heat({ replicas, jitter, disk, lost }: Hot) {
  using clock = new VirtualClock();
  const random = seeded(1);
  const data = memoryData();
  const travel = () =>
    new Promise((resolve) =>
      setTimeout(resolve, ONE_WAY * (1 - jitter + 2 * jitter * random.next()))
    );
  const far = (): Storage => {
    const near = memoryStorage({ namespace: "test", data });
    return {
      ...near,
      async commit(batch) {
        await travel();
        const results = await near.commit(batch);
        if (disk !== undefined) {
          await new Promise((resolve) => setTimeout(resolve, disk - performance.now() % disk));
        }
        await travel();
        return results;
      },
    };
  };
  const transactors: Transactor[] = Array.from({ length: replicas }, (_, i) => {
    const options = { storage: far(), random: random.next };
    if (lost === undefined) return new Transactor(options);
    const tell = (session: string, text: string) => {
      const to = transactors.findIndex((_, i) => replicaTag(String(i)) === tagOf(session));
      if (random.next() >= lost) setTimeout(() => transactors[to]!.take(text), ONE_WAY / 4);
      return true;
    };
    return new Transactor({ ...options, replica: { name: String(i), siblings: { tell } } });
  });
  const scope = scopeId("hot");
  const counts = transactors.map(() => 0);
  const latencies: number[] = [];
  let runs = 0;
  const end = performance.now() + DURATION;
  let isOver = false;
  const all = Promise.all(
    transactors.flatMap((transactor, replica) =>
      Array.from({ length: CALLERS }, async () => {
        while (performance.now() < end) {
          const began = performance.now();
          await transactor.run((view) => {
            runs++;
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
  const look = transactors[0]!.run((view) => view.open(scope).n, { timeout: 30_000 });
  await clock.pass(100);
  const sum = await look;
  for (const transactor of transactors) await transactor.close();
  latencies.sort((a, b) => a - b);
  const total = latencies.length;
  return { sum, total, runs, least: Math.min(...counts) / total * replicas, latencies };
}

for (const hot of [{ replicas: 2, jitter: 0.1 }, { replicas: 4, jitter: 0.5 }]) {
  const name = `${hot.replicas} replicas`;
  Deno.test(`Transactor.run() is exact on a hot scope, fair, quick and without waste, with ${name}`, async () => {
    const { sum, total, runs, least, latencies } = await heat(hot);
    assertEquals(sum, total);
    assertGreaterOrEqual(least, 0.5);
    assertLess(latencies[Math.floor(total * 0.99)]!, 100);
    // those who wait travel together: far more are done than round trips could be made
    assert(total > 10 * DURATION / ONE_WAY, `${total}`);
    // and whoever has to wait for others does not run its bodies in vain
    assertLess(runs / total, 2);
  });
}

Deno.test("Transactor.run() fills each write to a disk with commits of all replicas that reach each other", async () => {
  const hot = { replicas: 4, jitter: 0.1, disk: 4 };
  const apart = await heat(hot);
  const together = await heat({ ...hot, lost: 0 });
  for (const { sum, total } of [apart, together]) assertEquals(sum, total);
  assert(together.total > 2.5 * apart.total, `${together.total} ${apart.total}`);
  assertGreaterOrEqual(together.least, 0.8);
  assertLess(together.runs / together.total, 1.2);
});

for (const lost of [0.05, 1]) {
  Deno.test(`Transactor.run() is exact and quick where ${100 * lost} % of what is handed on gets lost`, async () => {
    const { sum, total, least, latencies } = await heat({
      replicas: 4,
      jitter: 0.5,
      disk: 4,
      lost,
    });
    assertEquals(sum, total);
    assertGreaterOrEqual(least, 0.5);
    assertLess(latencies[Math.floor(total * 0.99)]!, 100);
  });
}
