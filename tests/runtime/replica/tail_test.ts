// What hedging makes of the slowest calls, in virtual time: one of three replicas is stopped for 1 % of it.
import { assert, assertLess } from "@std/assert";
import { spread } from "../../../patterns/spread.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { makePlan } from "../../../runtime/plan/make_plan.ts";
import { CallContext } from "../../../runtime/replica/call_context.ts";
import { partClient } from "../../../runtime/replica/part_client.ts";
import { replicaInfo } from "../../../runtime/replica/place.ts";
import { Switchboard } from "../../../runtime/replica/switchboard.ts";
import { PartCounters } from "../../../runtime/rpc/metrics.ts";
import type { Hedge, PickReplica } from "../../../runtime/topology/target.ts";
import { seeded } from "../../support/seeded.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { boundApi } from "../topology/bound_api.ts";
import { bookOf } from "./book_of.ts";
import { Fleet } from "./fleet.ts";

const credentials = { secret: "s3cret", revision: "r1" };
const CALLS = 8_000;
/** Between two calls, in milliseconds. */
const PACE = 3;
/** Each period ends with the time in which the replica is stopped, in milliseconds. */
const PERIOD = 5_000;
const STOPPED = 50;

interface Tail {
  readonly p99: number;
  readonly p999: number;
  readonly hedges: number;
}

/** The slowest of calls that come one after the other at the same pace, whatever becomes of them. */
async function tailOf(stops: boolean, hedge: Hedge | undefined): Promise<Tail> {
  const { mp, topology } = boundApi();
  mp.service("svc", spread(3, () => 1));
  const book = bookOf(makePlan(topology, { app: "app", bundle: "b" }));
  using clock = new VirtualClock();
  const random = seeded(7);
  const start = performance.now();
  /** How long it takes until the replica goes on. */
  const pauseOf = (name: string): number => {
    const into = (performance.now() - start) % PERIOD - (PERIOD - STOPPED);
    return stops && name.endsWith(".1") && into >= 0 ? STOPPED - into : 0;
  };
  const wait = (milliseconds: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  const fleet = new Fleet(credentials, async (name) => {
    await wait(pauseOf(name));
    await wait(2 + 4 * random.next());
    await wait(pauseOf(name));
    return "1";
  }).add(book);
  const hello = { ...credentials, from: "svc.shard.0" };
  const switchboard = new Switchboard({ book, hello, dial: fleet.dial });
  const counters = new PartCounters();
  const part = partClient({
    path: "svc.compute",
    rules: { timeout: 30_000, idempotent: true, retries: 2, hedge },
    peers: () => switchboard.peers("svc.compute", "part"),
    counters,
  });
  void part.replicas;
  await switchboard.connected();
  // as the strategy "random", and the same each time
  const pick: PickReplica = ({ available }) => {
    const first = random.between(0, 2);
    return [first, (first + 1) % 3, (first + 2) % 3].find((index) => available(index)) ?? first;
  };
  const replica = replicaInfo({ path: "svc.shard", width: 1 }, 0);
  const times: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    const context = new CallContext({ service: "svc", replica, timeout: 30_000, requestId: "id" });
    const due = performance.now();
    part.callAny(pick, { request: 1, payload: Payload.of(1), context })
      .then(() => times.push(performance.now() - due));
    await clock.pass(PACE);
  }
  while (times.length < CALLS) await clock.pass(PACE);
  switchboard.close();
  deadlines.settle();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.ceil(CALLS * share) - 1]!;
  return { p99: at(0.99), p999: at(0.999), hedges: counters.hedges };
}

Deno.test("hedged calls are no more than twice as slow as those of a healthy system, at their slowest", async () => {
  const healthy = await tailOf(false, undefined);
  const alone = await tailOf(true, undefined);
  for (const after of ["p95", 8] as const) {
    const hedged = await tailOf(true, { after });
    const shown = JSON.stringify({ healthy, alone, hedged, after });
    assertLess(hedged.p99, 2 * healthy.p99, shown);
    assertLess(hedged.p999, 2.5 * healthy.p999, shown);
    // without, as slow as the time for which the replica is stopped
    assert(alone.p999 > 5 * healthy.p999, shown);
    // and few calls are made twice
    assertLess(hedged.hedges, CALLS / 10, shown);
  }
});
