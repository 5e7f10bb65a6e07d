import { assertEquals, assertThrows } from "@std/assert";
import { scopeKey } from "../../../runtime/storage/key.ts";
import { makeCommit } from "../../../runtime/transact/make_commit.ts";
import { State } from "../../../runtime/transact/overlay.ts";
import type { Attempt } from "../../../runtime/transact/transaction.ts";
import { scopeId } from "./scripted_storage.ts";

const NAME = { session: "session-1", seq: 7 };
const stored = (version: string | null) => State.stored(undefined, version);

function attempt(reads: Record<string, State>, writes: Record<string, State> = {}): Attempt {
  const byId = <T>(states: Record<string, T>) =>
    new Map(Object.entries(states).map(([name, state]) => [scopeId(name), state]));
  return {
    outcome: { value: undefined },
    reads: byId(reads),
    writes: new Map(
      [...byId(writes)].map(([scope, state]) => [scope, { state, expiresAt: undefined }]),
    ),
  };
}

Deno.test("makeCommit() checks what was read first, and stores what was written last", () => {
  const [a0, b0] = [stored("v1"), stored(null)];
  const [a1, a2] = [State.written({ n: 1 }), State.written({ n: 2 })];
  const { commit, reads, writes } = makeCommit([
    attempt({ a: a0 }, { a: a1 }),
    attempt({ a: a1, b: b0 }, { a: a2 }),
    attempt({ a: a2 }),
  ], NAME);
  assertEquals(commit, {
    ...NAME,
    checks: [{ key: scopeKey("a"), version: "v1" }, { key: scopeKey("b"), version: null }],
    mutations: [{ op: "put", key: scopeKey("a"), value: '{"n":2}' }],
  });
  assertEquals([...reads.keys()], [scopeId("a"), scopeId("b")]);
  assertEquals([...writes.keys()], [scopeId("a")]);
});

Deno.test("makeCommit() removes what was removed last", () => {
  const [a0, a1] = [stored("v1"), State.written({})];
  const { commit } = makeCommit([
    attempt({ a: a0 }, { a: a1 }),
    attempt({ a: a1 }, { a: State.written(undefined) }),
  ], NAME);
  assertEquals(commit.mutations, [{ op: "delete", key: scopeKey("a") }]);
});

Deno.test("makeCommit() refuses transactions that would lose a write", () => {
  const [a0, b0] = [stored("v1"), stored("v2")];
  assertThrows(
    () =>
      makeCommit([
        attempt({ a: a0 }, { a: State.written({ n: 1 }) }),
        attempt({ a: a0, b: b0 }, { a: State.written({ n: 1 }) }),
      ], NAME),
    Error,
    "rest on",
  );
  assertThrows(() => makeCommit([attempt({ a: State.written({}) })], NAME), Error, "not stored");
});

Deno.test("makeCommit() refuses a document that cannot be text", () => {
  const large = { toJSON: () => "x".repeat(2 ** 30) };
  assertThrows(
    () => makeCommit([attempt({ a: stored(null) }, { a: State.written(large) })], NAME),
    TypeError,
    'Cannot store scope "a": it is too large',
  );
});
