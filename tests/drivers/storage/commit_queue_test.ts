import { assert, assertEquals, assertRejects } from "@std/assert";
import { commitQueue } from "../../../drivers/storage/commit_queue.ts";
import type { EncodedCommit, Verdict } from "../../../runtime/storage/backend.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";

const commit = (name: string, value = "1"): EncodedCommit => ({
  session: name,
  seq: 1,
  version: name,
  checks: [],
  writes: [{ key: name, value, expiresAt: 0 }],
});

/** A queue over a writer that the test makes busy or fail. */
function queued() {
  const batches: string[][] = [];
  const state: { busy: number; error: Error | undefined } = { busy: 0, error: undefined };
  const queue = commitQueue({
    run(batch): Verdict[] {
      if (state.busy > 0) {
        state.busy--;
        throw new Error("busy");
      }
      if (state.error !== undefined) throw state.error;
      batches.push(batch.map(({ session }) => session));
      return batch.map(({ session }) =>
        session.startsWith("stale") ? [{ index: 0, version: session, value: null }] : null
      );
    },
    isBusy: (error) => (error as Error).message === "busy",
    giveUp: () => new Error("gave up"),
    closed: () => new Error("closed"),
  });
  return { queue, batches, state };
}

Deno.test("add() writes commits of one moment together, and gives each its own verdicts", async () => {
  const { queue, batches } = queued();
  const verdicts = await Promise.all([
    queue.add([commit("a"), commit("stale b")]),
    queue.add([commit("c")]),
    queue.add([commit("stale d"), commit("e")]),
  ]);
  assertEquals(batches, [["a", "stale b", "c", "stale d", "e"]]);
  const stale = (version: string) => [{ index: 0, version, value: null }];
  assertEquals(verdicts, [[null, stale("stale b")], [null], [stale("stale d"), null]]);
});

Deno.test("add() does not write too much at once", async () => {
  const { queue, batches } = queued();
  const large = "x".repeat(5 * 1024 * 1024);
  await Promise.all(["a", "b", "c"].map((name) => queue.add([commit(name, large)])));
  assertEquals(batches, [["a"], ["b"], ["c"]]);
  const many = Array.from({ length: 300 }, () => commit("many"));
  await Promise.all([queue.add(many), queue.add(many), queue.add([...many, ...many])]);
  assertEquals(batches.slice(3).map(({ length }) => length), [300, 300, 600]);
});

Deno.test("add() tries again while the writer is busy, with all that has come meanwhile", async () => {
  using clock = new VirtualClock();
  const { queue, batches, state } = queued();
  state.busy = 5;
  const first = queue.add([commit("a")]);
  await settled();
  const second = queue.add([commit("b")]);
  await clock.pass(100);
  await Promise.all([first, second]);
  assertEquals(batches, [["a", "b"]]);
  assertEquals(clock.timers, 0);
});

Deno.test("add() gives up for those whose time is over, and goes on for others", async () => {
  using clock = new VirtualClock();
  const { queue, batches, state } = queued();
  state.busy = Infinity;
  const controller = new AbortController();
  const impatient = queue.add([commit("a")], controller.signal);
  const patient = queue.add([commit("b")]);
  await settled();
  controller.abort();
  await assertRejects(() => impatient, Error, "gave up");
  state.busy = 0;
  await clock.pass(100);
  assertEquals(await patient, [null]);
  assertEquals(batches, [["b"]]);
});

Deno.test("add() and retry() without a signal give up after half a minute", async () => {
  using clock = new VirtualClock();
  const { queue, state } = queued();
  state.busy = Infinity;
  const ends = Promise.allSettled([
    queue.add([commit("a")]),
    queue.retry(() => {
      throw new Error("busy");
    }),
  ]);
  await clock.pass(29_000);
  assert(clock.timers > 0, "gave up too early");
  await clock.pass(2_000);
  const reasons = (await ends).map((end) => end.status === "rejected" && end.reason.message);
  assertEquals(reasons, ["gave up", "gave up"]);
  assertEquals(clock.timers, 0);
});

Deno.test("add() passes other errors on, and the queue goes on", async () => {
  const { queue, batches, state } = queued();
  state.error = new Error("the disk is full");
  const both = [queue.add([commit("a")]), queue.add([commit("b")])];
  for (const one of both) await assertRejects(() => one, Error, "the disk is full");
  state.error = undefined;
  assertEquals(await queue.add([commit("c")]), [null]);
  assertEquals(batches, [["c"]]);
});

Deno.test("close() ends those that wait", async () => {
  const { queue, batches, state } = queued();
  state.busy = Infinity;
  const waiting = [
    queue.add([commit("a")]),
    queue.retry(() => {
      throw new Error("busy");
    }),
  ];
  const ends = Promise.allSettled(waiting);
  await settled();
  await queue.close();
  const reasons = (await ends).map((end) => end.status === "rejected" && end.reason.message);
  assertEquals(reasons, ["closed", "closed"]);
  assertEquals(batches, []);
});
