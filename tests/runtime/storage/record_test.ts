import { assertEquals } from "@std/assert";
import type { EncodedCommit } from "../../../runtime/storage/backend.ts";
import { applyCommit, type RecordHead } from "../../../runtime/storage/record.ts";

interface Row {
  readonly head: RecordHead;
  readonly value: string | null;
}

/** Records in a Map, with a clock. */
function place() {
  const rows = new Map<string, Row>();
  const clock = { now: 1000, retention: 100 };
  let seq = 0;
  return {
    rows,
    clock,
    commit: (key: string, value: string | null, other: Partial<EncodedCommit> = {}) => {
      const commit = {
        session: "one",
        seq: ++seq,
        version: `v${seq}`,
        checks: [],
        writes: [{ key, value, expiresAt: 0 }],
        ...other,
      };
      return applyCommit(commit, {
        head: (key) => rows.get(key)?.head,
        value: (key) => rows.get(key)?.value ?? null,
        put: (key, head, value) => rows.set(key, { head, value }),
      }, clock);
    },
  };
}

Deno.test("applyCommit() keeps the last number of each session, for the retention", () => {
  const { rows, clock, commit } = place();
  commit("a", "1");
  commit("a", "2", { session: "two" });
  commit("a", "3");
  assertEquals(rows.get("a")!.head.writers, [["two", 2, 1000], ["one", 3, 1000]]);
  clock.now = 1100;
  commit("a", "4", { session: "three" });
  assertEquals(rows.get("a")!.head.writers, [["three", 4, 1100]]);
});

Deno.test("applyCommit() keeps a deleted record for the retention, then knows nothing of it", () => {
  const { rows, clock, commit } = place();
  commit("a", "1");
  commit("a", null);
  assertEquals(rows.get("a"), {
    head: {
      version: "v2",
      hasValue: false,
      expiresAt: 0,
      keepUntil: 1100,
      writers: [["one", 2, 1000]],
    },
    value: null,
  });
  const look = { checks: [{ key: "a", version: "?" }], writes: [] };
  assertEquals(commit("", null, look), [{ index: 0, version: "v2", value: null }]);
  clock.now = 1100;
  assertEquals(commit("", null, look), [{ index: 0, version: "", value: null }]);
});

Deno.test("applyCommit() keeps an expired record for as long as its commit may come again", () => {
  const { rows, clock, commit } = place();
  commit("a", "1", { writes: [{ key: "a", value: "1", expiresAt: 1010 }] });
  commit("b", "1", { writes: [{ key: "b", value: "1", expiresAt: 5000 }] });
  assertEquals(rows.get("a")!.head.keepUntil, 1100);
  assertEquals(rows.get("b")!.head.keepUntil, 5000);
  const look = { checks: [{ key: "a", version: "?" }], writes: [] };
  assertEquals(commit("", null, look), [{ index: 0, version: "v1", value: "1" }]);
  clock.now = 1010;
  assertEquals(commit("", null, look), [{ index: 0, version: "v1~", value: null }]);
  clock.now = 1100;
  assertEquals(commit("", null, look), [{ index: 0, version: "", value: null }]);
});

Deno.test("applyCommit() recognises a commit by the first key that it writes", () => {
  const { commit } = place();
  const writes = [{ key: "a", value: "1", expiresAt: 0 }, { key: "b", value: "1", expiresAt: 0 }];
  const again = { session: "two", seq: 7, version: "two.7", writes };
  assertEquals(commit("", null, { ...again, checks: [{ key: "b", version: "" }] }), null);
  commit("a", "2");
  commit("b", null);
  assertEquals(commit("", null, { ...again, checks: [{ key: "b", version: "" }] }), null);
  const other = { ...again, seq: 8, checks: [{ key: "b", version: "" }] };
  assertEquals(commit("", null, other), [{ index: 0, version: "v3", value: null }]);
});
