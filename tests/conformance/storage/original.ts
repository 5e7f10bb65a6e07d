/**
 * Cases: the bugs of the original, one each. That it ignored an unknown storage is tested where one is chosen.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { encodeKey } from "../../../runtime/storage/key.ts";
import type { Storage } from "../../../runtime/storage/storage.ts";
import { Transactor } from "../../../runtime/transact/transactor.ts";
import type { ScopeDraft } from "../../../runtime/transact/view.ts";
import {
  type Case,
  check,
  checkNever,
  DONE,
  put,
  range,
  read,
  remove,
  scope,
  Session,
  values,
} from "./harness.ts";

export const ORIGINAL: readonly Case[] = [
  {
    name: "original bug: all scopes under one key",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("one"), { count: 1 });
      await session.put(scope("two"), { count: 2 });
      assertEquals(await values(session.storage, [scope("one"), scope("two")]), [{ count: 1 }, {
        count: 2,
      }]);
    },
  },
  {
    name: "original bug: versions made of a time, alike for quick writes",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const batch = range(50).map((i) => session.next([], [put(key, i)]));
      await session.storage.commit(batch);
      const versions = new Set([(await read(session.storage, key)).version]);
      for (const i of range(50)) {
        await session.put(key, i);
        versions.add((await read(session.storage, key)).version);
      }
      assertEquals(versions.size, 51);
    },
  },
  {
    name: "original bug: a check, then a write, and others between",
    async run(connections) {
      const sessions = range(10).map(() => new Session(connections.open()));
      const key = scope("a");
      await sessions[0]!.put(key, 0);
      for (const _ of range(10)) {
        const state = await read(sessions[0]!.storage, key);
        const results = await Promise.all(
          sessions.map((session) =>
            session.commit([check(state)], [put(key, Number(state.value) + 1)])
          ),
        );
        assertEquals(results.filter(({ done }) => done).length, 1);
      }
      assertEquals(await values(sessions[0]!.storage, [key]), [10]);
    },
  },
  {
    name: "original bug: names spliced into queries and paths",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("safe"), 1);
      const attacks = [
        "x' or '1'='1",
        "x'; delete from records; -- ",
        "../../../tmp/mp-stolen",
        "/etc/passwd",
        "x\\'; drop table records; -- ",
      ];
      for (const name of attacks) {
        const [state] = await session.storage.read([scope(name)]);
        assertEquals(state!.value, undefined, name);
        assertEquals(
          await session.commit([checkNever(scope(name))], [put(scope(name), name)]),
          DONE,
        );
        assertEquals(await values(session.storage, [scope(name)]), [name]);
        assertEquals(await session.commit([], [remove(scope(name))]), DONE);
      }
      assertEquals(await values(session.storage, [scope("safe")]), [1]);
    },
  },
  {
    name: "original bug: a store that is refused overwrites all the same",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const stale = await read(session.storage, key);
      await session.put(key, "kept");
      for (const version of [stale.version, "empty", "0", "1"]) {
        const result = await session.commit([{ key, version }], [put(key, "lost")]);
        assert(!result.done);
        assertEquals(await values(session.storage, [key]), ["kept"]);
      }
    },
  },
  {
    name: "original bug: a version and a value that do not belong together",
    async run(connections) {
      const key = scope("a");
      const expected = new Map<string | null, string>();
      const writer = new Session(connections.open());
      expected.set(await writer.put(key, "first"), '"first"');
      let writing = true;
      const written = (async () => {
        for (const i of range(200)) expected.set(await writer.put(key, i), String(i));
        writing = false;
      })();
      const pairs: [string | null, string | undefined][] = [];
      const reader = connections.open();
      while (writing) {
        const { version, value } = await read(reader, key);
        pairs.push([version, value]);
      }
      await written;
      for (const [version, value] of pairs) assertEquals(value, expected.get(version));
      assert(new Set(pairs.map(([version]) => version)).size > 1, "only one state was seen");
    },
  },
  {
    name: "original bug: a body that only reads is never answered",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("a"), 1);
      const states = await session.storage.read([scope("a"), scope("b")]);
      assertEquals(await session.commit(states.map(check), []), DONE);
      assertEquals(await session.commit([], []), DONE);
    },
  },
  {
    name: "original bug: a body that only reads never settles",
    async run(connections) {
      const storage = connections.open();
      await new Session(storage).put(scope("a"), { n: 1 });
      const scoped = transactions(storage);
      assertEquals(await scoped((a) => a.n), 1);
      assertEquals(await scoped(() => {}), undefined);
      await assertRejects(
        () =>
          scoped((a) => {
            throw new Error(`n is ${a.n}`);
          }),
        Error,
        "n is 1",
      );
    },
  },
  {
    name: "original bug: nested writes and deletes are lost",
    async run(connections) {
      const storage = connections.open();
      await new Session(storage).put(scope("a"), { deep: { er: { n: 1 } }, list: [1], gone: 1 });
      await transactions(storage)((a) => {
        a.deep.er.n++;
        a.list.push(2);
        delete a.gone;
      });
      assertEquals(await values(storage, [scope("a")]), [{ deep: { er: { n: 2 } }, list: [1, 2] }]);
    },
  },
  {
    name: "original bug: writes after an await are lost",
    async run(connections) {
      const storage = connections.open();
      await transactions(storage)(async (a) => {
        a.before = 1;
        await storage.read([]);
        a.after = 2;
      });
      assertEquals(await values(storage, [scope("a")]), [{ before: 1, after: 2 }]);
    },
  },
];

/** Runs bodies over the scope "a", as `mp.scoped()` does. */
function transactions(storage: Storage) {
  const transactor = new Transactor({ storage });
  return async <T>(body: (scope: ScopeDraft) => T | PromiseLike<T>): Promise<T> => {
    const id = encodeKey(scope("a"));
    try {
      return await transactor.run((view) => body(view.open(id)), { timeout: 20_000 });
    } finally {
      deadlines.settle();
    }
  };
}
