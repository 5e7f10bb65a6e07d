/**
 * Cases: what a commit does.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { Mutation } from "../../../runtime/storage/storage.ts";
import { versionOf } from "../../../runtime/storage/version.ts";
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
  scopes,
  Session,
  values,
} from "./harness.ts";

export const COMMITS: readonly Case[] = [
  {
    name: "read() gives no version for what was never stored",
    async run(connections) {
      const state = await read(connections.open(), scope("cart"));
      assertEquals(state, { key: scope("cart"), version: null, value: undefined });
    },
  },
  {
    name: "read() of no keys asks whether the storage is there",
    async run(connections) {
      assertEquals(await connections.open().read([]), []);
    },
  },
  {
    name: "read() gives keys in their order, also twice",
    async run(connections) {
      const session = new Session(connections.open());
      const keys = scopes("b", "a", "c", "a");
      for (const key of keys) await session.put(key, key[1]);
      assertEquals(await values(session.storage, keys), ["b", "a", "c", "a"]);
    },
  },
  {
    name: "commit() stores a value with the version of its session and number",
    async run(connections) {
      const session = new Session(connections.open());
      const commit = session.next([checkNever(scope("cart"))], [put(scope("cart"), { n: 1 })]);
      assertEquals(await session.send(commit), DONE);
      assertEquals(await read(connections.open(), scope("cart")), {
        key: scope("cart"),
        version: versionOf(commit),
        value: '{"n":1}',
      });
    },
  },
  {
    name: "commit() refuses a version that is not the current one, with the current value",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("cart");
      await session.put(key, 1);
      const old = await read(session.storage, key);
      const version = await session.put(key, 2);
      const refused = { done: false, current: [{ key, version, value: "2" }] } as const;
      assertEquals(await session.commit([check(old)], [put(key, 3)]), refused);
      assertEquals(await session.commit([checkNever(key)], [put(key, 3)]), refused);
      assertEquals(await session.commit([check(old)], [remove(key)]), refused);
      assertEquals(await values(session.storage, [key]), [2]);
    },
  },
  {
    name: "commit() refuses a version where there is nothing",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("cart");
      const result = await session.commit([{ key, version: "someone.1" }], [put(key, 1)]);
      assertEquals(result, { done: false, current: [{ key, version: null, value: undefined }] });
      assertEquals(await read(session.storage, key), { key, version: null, value: undefined });
    },
  },
  {
    name: "commit() of several keys is done whole or not at all",
    async run(connections) {
      const session = new Session(connections.open());
      const [cart, stock, orders] = scopes("cart", "stock", "orders");
      await session.put(cart, 1);
      const first = await session.storage.read([cart, stock, orders]);
      await session.put(stock, 7);
      const writes = [put(cart, 2), remove(stock), put(orders, 2)];
      const refused = await session.commit(first.map(check), writes);
      assert(!refused.done);
      assertEquals(refused.current.map(({ key, value }) => [key, value]), [[stock, "7"]]);
      assertEquals(await values(session.storage, [cart, stock, orders]), [1, 7, undefined]);
      const now = await session.storage.read([cart, stock, orders]);
      const commit = session.next(now.map(check), writes);
      assertEquals(await session.send(commit), DONE);
      assertEquals(await values(session.storage, [cart, stock, orders]), [2, undefined, 2]);
      const versions = (await session.storage.read([cart, stock, orders])).map((state) =>
        state.version
      );
      assertEquals(versions, range(3).map(() => versionOf(commit)));
    },
  },
  {
    name: "commit() that writes other keys than it checks is refused all the same",
    async run(connections) {
      const session = new Session(connections.open());
      const old = await read(session.storage, scope("a"));
      await session.put(scope("a"), 1);
      const result = await session.commit([check(old)], [put(scope("b"), 1)]);
      assert(!result.done);
      assertEquals(await values(session.storage, [scope("b")]), [undefined]);
    },
  },
  {
    name: "commit() without writes only judges",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("a"), 1);
      const states = await session.storage.read([scope("a"), scope("b")]);
      assertEquals(await session.commit(states.map(check), []), DONE);
      await session.put(scope("b"), 2);
      const result = await session.commit(states.map(check), []);
      assert(!result.done);
      assertEquals(result.current.map(({ key, value }) => [key, value]), [[scope("b"), "2"]]);
    },
  },
  {
    name: "commit() without checks is done whatever is there",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("a"), 1);
      await session.put(scope("a"), 2);
      await session.delete(scope("a"));
      await session.delete(scope("never"));
      assertEquals(await values(session.storage, [scope("a"), scope("never")]), [
        undefined,
        undefined,
      ]);
    },
  },
  {
    name: "commit() gives a version that never comes back, also not after a deletion",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const seen = new Set<string | null>([null]);
      for (const mutation of [put(key, 1), remove(key), put(key, 1), remove(key), put(key, 1)]) {
        const before = await read(session.storage, key);
        assertEquals(await session.commit([check(before)], [mutation]), DONE);
        const after = await read(session.storage, key);
        assert(!seen.has(after.version), `${after.version} came back`);
        seen.add(after.version);
        for (const version of seen) {
          if (version === after.version) continue;
          const result = await session.commit([{ key, version }], [put(key, "overwritten")]);
          assert(!result.done, `${version} was taken for ${after.version}`);
        }
        assertEquals(await session.commit([check(after)], []), DONE);
      }
    },
  },
  {
    name: "commit() carries out a batch in order, and a refused one hinders no other",
    async run(connections) {
      const session = new Session(connections.open());
      const [a, b, c] = scopes("a", "b", "c");
      const first = session.next([checkNever(a)], [put(a, 1)]);
      const results = await session.storage.commit([
        first,
        session.next([checkNever(a)], [put(a, 2), put(b, 2)]),
        session.next([{ key: a, version: versionOf(first) }], [put(c, 3)]),
        session.next([checkNever(b)], []),
        session.next([checkNever(c)], []),
      ]);
      assertEquals(results.map(({ done }) => done), [true, false, true, true, false]);
      assertEquals(results[1], {
        done: false,
        current: [{ key: a, version: versionOf(first), value: "1" }],
      });
      assertEquals(await values(session.storage, [a, b, c]), [1, undefined, 3]);
    },
  },
  {
    name: "commit() takes a thousand commits, and one of 500 keys",
    async run(connections) {
      const session = new Session(connections.open());
      const key = (i: number) => scope(`key ${i}`);
      await session.put(key(500), "there");
      const results = await session.storage.commit(
        range(1000).map((i) => session.next([checkNever(key(i))], [put(key(i), i)])),
      );
      assertEquals(results.flatMap(({ done }, i) => done ? [] : [i]), [500]);
      const states = await session.storage.read(range(500).map(key));
      assertEquals(states.map(({ value }) => value), range(500).map(String));
      const all = session.next(states.map(check), states.map(({ key }) => put(key, "all")));
      assertEquals(await session.send(all), DONE);
      assertEquals(await values(session.storage, [key(0), key(499), key(501)]), [
        "all",
        "all",
        501,
      ]);
    },
  },
  {
    name: "commit() of no commits is done",
    async run(connections) {
      assertEquals(await connections.open().commit([]), []);
    },
  },
  {
    name: "commit() refuses to do what it cannot, and does nothing of its batch",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const good = () => session.next([], [put(key, 1)]);
      const wrong = (mutations: readonly Mutation[]) =>
        session.storage.commit([good(), session.next([], mutations)]);
      const append: Mutation = { op: "append", key: ["log", "orders"], events: ["1"] };
      const error = await assertRejects(() => wrong([append]), MpError);
      assertEquals(error.code, "unsupported");
      const log = await assertRejects(() => wrong([put(["log", "orders"], 1)]), MpError);
      assertEquals(log.code, "unsupported");
      await assertRejects(() => wrong([put(key, 1), remove(key)]), TypeError, "twice");
      await assertRejects(() => wrong([{ op: "put", key, value: "" }]), TypeError, "JSON");
      // deno-lint-ignore no-explicit-any -- what JavaScript lets through
      await assertRejects(() => wrong([{ op: "rename", key } as any]), TypeError, "rename");
      // deno-lint-ignore no-explicit-any -- what JavaScript lets through
      await assertRejects(() => wrong([put(["shop" as any, "a"], 1)]), TypeError, "shop");
      await assertRejects(
        () => session.storage.commit([{ ...good(), session: "a'b c:d" }]),
        TypeError,
      );
      await assertRejects(() => session.storage.commit([{ ...good(), seq: 0 }]), RangeError);
      assertEquals(await values(session.storage, [key]), [undefined]);
    },
  },
  {
    name: "commit() tells apart states that look alike",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const one = await session.put(key, 1);
      const two = await session.put(key, 1);
      assertNotEquals(one, two);
      assert(!(await session.commit([{ key, version: one }], [])).done);
    },
  },
];
