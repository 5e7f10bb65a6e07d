/**
 * Cases: values that go by themselves.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  type Case,
  check,
  checkNever,
  DONE,
  put,
  read,
  readUntil,
  scope,
  scopes,
  Session,
  values,
} from "./harness.ts";

const HOUR = 3_600_000;

export const EXPIRY: readonly Case[] = [
  {
    name: "commit() stores a value that is there until it expires",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      assertEquals(await session.commit([], [put(key, 1, Date.now() + HOUR)]), DONE);
      assertEquals(await values(session.storage, [key]), [1]);
      assertEquals(await session.commit([check(await read(session.storage, key))], []), DONE);
    },
  },
  {
    name: "read() gives another version and no value once a value has expired",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const commit = session.next([], [put(key, 1, Date.now() + 100)]);
      await session.send(commit);
      const gone = await readUntil(session.storage, key, ({ value }) => value === undefined);
      const there = `${commit.session}.${commit.seq}`;
      assertNotEquals(gone.version, there);
      assertNotEquals(gone.version, null);
      assert(!(await session.commit([{ key, version: there }], [put(key, 2)])).done);
      assert(!(await session.commit([checkNever(key)], [put(key, 2)])).done);
      assertEquals(await session.send(commit), DONE);
      assertEquals(await values(session.storage, [key]), [undefined]);
      assertEquals(await Array.fromAsync(session.storage.scan({ prefix: ["scope"] })), []);
      assertEquals(await session.commit([check(gone)], [put(key, 3)]), DONE);
      assertEquals(await values(session.storage, [key]), [3]);
    },
  },
  {
    name: "commit() that stores anew takes the expiry away",
    async run(connections) {
      const session = new Session(connections.open({ retention: 1 }));
      const [a, b] = scopes("a", "b");
      const soon = Date.now() + 50;
      await session.commit([], [put(a, 1, soon), put(b, 1, soon)]);
      await session.put(a, 2);
      await readUntil(session.storage, b, ({ version }) => version === null);
      assertEquals(await values(session.storage, [a, b]), [2, undefined]);
    },
  },
  {
    name: "commit() refuses a time that is none",
    async run(connections) {
      const session = new Session(connections.open());
      for (const expiresAt of [-1, 1.5, NaN, Infinity]) {
        await assertRejects(() => session.commit([], [put(scope("a"), 1, expiresAt)]), RangeError);
      }
    },
  },
];
