import { assertEquals } from "@std/assert";
import { TrackedReplica } from "../../../drivers/docker/tracked_replica.ts";

const replica = () => new TrackedReplica({ path: "svc", index: 1 }, 1, "id");
const seen = (state: "ready" | "busy" | "starting" | "absent", missing?: string[]) => ({
  path: "svc",
  index: 1,
  state,
  missing,
});

Deno.test("TrackedReplica is ready when it is seen so, and restarts when its container ends", () => {
  const one = replica();
  one.started();
  one.seen(seen("starting", ["svc.x.0"]), 1);
  assertEquals([one.state, one.status.message], ["starting", "waits for svc.x.0"]);
  one.seen(seen("ready"), 2);
  assertEquals([one.state, one.status.since, one.status.message], ["ready", 2, undefined]);
  one.ended(137, 3);
  assertEquals([one.state, one.status.lastExit], ["restarting", "killed by SIGKILL"]);
  // what was seen before it ended comes late
  one.seen(seen("ready"), 4);
  assertEquals(one.state, "restarting");
  one.started();
  assertEquals([one.state, one.status.restarts], ["starting", 1]);
});

Deno.test("TrackedReplica names a crash loop, with what it complained of", () => {
  const one = replica();
  for (let i = 0; i < 5; i++) {
    one.started();
    one.complaint = "Cannot start svc.1: no";
    one.ended(1, 10 * i);
  }
  assertEquals([one.state, one.status.message], ["crash loop", "Cannot start svc.1: no"]);
  one.started();
  assertEquals(one.state, "crash loop");
  one.seen(seen("ready"), 100);
  assertEquals(one.state, "ready");
  // one that was ready for long has recovered
  one.ended(1, 100 + 10_000);
  assertEquals([one.state, one.failures], ["restarting", 1]);
});

Deno.test("TrackedReplica knows what would fail again, and what lacked memory", () => {
  const fatal = replica();
  fatal.started();
  fatal.ended(78, 1);
  assertEquals(fatal.fatal, true);
  const large = replica();
  large.started();
  large.outOfMemory = true;
  large.ended(137, 1);
  assertEquals(large.status.lastExit, "killed for want of memory");
});

Deno.test("TrackedReplica that is stopped has not failed", () => {
  const one = replica();
  one.started();
  one.stopping = true;
  one.state = "draining";
  one.ended(0, 1);
  assertEquals([one.state, one.failures], ["stopped", 0]);
});
