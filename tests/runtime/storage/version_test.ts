import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  expiredVersion,
  isSession,
  newSession,
  replicaTag,
  tagOf,
  versionOf,
} from "../../../runtime/storage/version.ts";

Deno.test("newSession() gives another session each time", () => {
  const sessions = new Set(Array.from({ length: 1000 }, () => newSession()));
  assertEquals(sessions.size, 1000);
  for (const session of sessions) assert(isSession(session) && session.length === 20, session);
});

Deno.test("tagOf() tells of a replica's sessions whose they are", () => {
  const session = newSession("shop.compute.3");
  assert(isSession(session), session);
  assertNotEquals(session, newSession("shop.compute.3"));
  assertEquals(tagOf(session), replicaTag("shop.compute.3"));
  assertNotEquals(replicaTag("shop.compute.3"), replicaTag("shop.compute.4"));
  assertEquals(tagOf(newSession()), undefined);
});

Deno.test("isSession() takes nothing that could mean something elsewhere", () => {
  for (const text of ["", "short", "a'bcdefgh", "abcdefgh.1", "x".repeat(65), "abcdefgh\n"]) {
    assert(!isSession(text), text);
  }
});

Deno.test("versionOf() tells sessions and numbers apart", () => {
  assertEquals(versionOf({ session: "abcdefgh", seq: 12 }), "abcdefgh.12");
  assertNotEquals(
    versionOf({ session: "abcdefgh1", seq: 2 }),
    versionOf({ session: "abcdefgh", seq: 12 }),
  );
  assertNotEquals(expiredVersion("abcdefgh.1"), "abcdefgh.1");
});
