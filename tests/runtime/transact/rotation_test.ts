import { assert, assertEquals } from "@std/assert";
import { Rotation } from "../../../runtime/transact/rotation.ts";

const own = "b-session";
const roundTrip = 2;
const by = (session: string, seq = 1) => ({ version: `${session}.${seq}`, own, roundTrip });

/** A scope that is contended at 0, as it was seen after changes of the sessions. */
function contended(...sessions: string[]): Rotation {
  const rotation = new Rotation(() => 0.5);
  for (const session of ["", ...sessions]) rotation.refused("s", by(session || sessions[0]!), 0);
  return rotation;
}

Deno.test("Rotation.until() is free of pauses where others are not first again and again", () => {
  const rotation = new Rotation(() => 0.5);
  assert(rotation.isIdle);
  rotation.refused("s", by("a-session"), 0);
  assertEquals(rotation.until("s", 0), undefined);
  rotation.refused("s", by("c-session"), 1_000);
  assertEquals(rotation.until("s", 1_000), undefined);
  assertEquals(rotation.until("other", 0), undefined);
});

Deno.test("Rotation.until() lets who comes next go at once, and others pause for those before them", () => {
  // a, b (own), c, d: after a comes b; after d, a is before b; after c, d and a are
  const pauses = ["a-session", "d-session", "c-session"].map((last) => {
    const rotation = contended("a-session", "c-session", "d-session");
    rotation.done("s", by(own), 1);
    rotation.refused("s", by(last, 2), 1);
    return rotation.until("s", 1);
  });
  assertEquals(pauses[0], undefined);
  assert(pauses[1]! > 1 && pauses[2]! > pauses[1]!, `${pauses}`);
});

Deno.test("Rotation.until() lets all others go first after a success", () => {
  const rotation = contended("a-session", "c-session");
  const before = rotation.until("s", 0);
  rotation.done("s", by(own), 10);
  assert(rotation.until("s", 10)! > 10);
  assert(before === undefined || before < rotation.until("s", 10)!);
});

Deno.test("Rotation.looked() passes over who does not come", () => {
  const rotation = contended("a-session", "c-session");
  // a is before this one
  assert(rotation.until("s", 0) !== undefined);
  rotation.looked("s", by("c-session"), 50);
  assertEquals(rotation.until("s", 50), undefined);
});

Deno.test("Rotation.looked() lets a replica try that has paused twice, whoever was last", () => {
  const rotation = contended("a-session", "c-session", "d-session");
  rotation.done("s", by(own), 1);
  for (const seq of [2, 3]) {
    assert(rotation.until("s", 1) !== undefined, `${seq}`);
    rotation.looked("s", by("c-session", seq), 1);
  }
  assertEquals(rotation.until("s", 1), undefined);
  rotation.refused("s", by("d-session", 9), 1);
  assertEquals(rotation.until("s", 1), undefined);
});

Deno.test("Rotation.looked() forgets others when they have not come several times", () => {
  const rotation = contended("a-session");
  for (let seq = 1; seq <= 3; seq++) {
    rotation.done("s", by(own, seq), seq * 10);
    assert(rotation.until("s", seq * 10) !== undefined);
    rotation.looked("s", by(own, seq), seq * 10 + 5);
    assertEquals(rotation.until("s", seq * 10 + 5), undefined);
  }
  assert(rotation.isIdle);
});

Deno.test("Rotation.done() looks now and then whether others wait, where it is always first", () => {
  const rotation = new Rotation(() => 0.5);
  let now = 0;
  let commits = 0;
  for (; commits < 1_000 && rotation.isIdle; commits++) {
    rotation.done("s", by(own, commits), now += 2);
  }
  assert(commits > 32 && commits < 100, `${commits}`);
  rotation.looked("s", by("a-session"), now);
  assertEquals(rotation.until("s", now), undefined);
});

Deno.test("Rotation.until() forgets what was long ago", () => {
  const rotation = contended("a-session", "c-session");
  rotation.done("s", by(own), 0);
  assertEquals(rotation.until("s", 60_000), undefined);
  assert(rotation.isIdle);
});

const handed = (...versions: string[]) => ({ versions, own, roundTrip });

Deno.test("Rotation.handed() ends a pause, and makes the next ones last until the scope should have come", () => {
  const rotation = contended("a-session", "c-session");
  rotation.done("s", by(own), 10);
  const guessed = rotation.until("s", 10)! - 10;
  rotation.handed("s", handed("c-session.3", "a-session.2"), 12);
  assertEquals(rotation.until("s", 12), undefined);
  rotation.done("s", by(own, 2), 14);
  assert(rotation.until("s", 14)! - 14 > guessed, `${rotation.until("s", 14)} ${guessed}`);
  // a scope that was lost on its way is waited for once
  rotation.looked("s", by("a-session", 9), 40);
  rotation.done("s", by(own, 3), 42);
  assert(rotation.until("s", 42)! - 42 < 100);
  // while it is handed on, whoever comes next after a refusal does not wait either
  rotation.handed("s", handed("a-session.10"), 50);
  rotation.refused("s", by("a-session", 11), 51);
  assertEquals(rotation.until("s", 51), undefined);
  rotation.refused("s", by("c-session", 12), 52);
  assert(rotation.until("s", 52)! > 52);
});

Deno.test("Rotation.next() is the order of turns after one's own", () => {
  const rotation = new Rotation(() => 0.5);
  assertEquals(rotation.next("s", own), []);
  rotation.handed("s", handed("a-session.4", "d-session.3", "c-session.2", `${own}.1`), 0);
  assertEquals(rotation.next("s", own), ["c-session", "d-session", "a-session"]);
  assertEquals(rotation.next("s", "e-session"), ["a-session", "c-session", "d-session"]);
  assertEquals(rotation.next("s", "0-session"), ["a-session", "c-session", "d-session"]);
});
