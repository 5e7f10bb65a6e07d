/**
 * Cases: a commit that is sent again.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Key } from "../../../runtime/storage/storage.ts";
import { versionOf } from "../../../runtime/storage/version.ts";
import {
  type Case,
  check,
  checkNever,
  DONE,
  put,
  range,
  read,
  readUntil,
  remove,
  scope,
  scopes,
  Session,
  values,
} from "./harness.ts";

export const REPEATS: readonly Case[] = [
  {
    name: "commit() sent again is done, and done once",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const commit = session.next([checkNever(key)], [put(key, 1)]);
      for (const storage of [session.storage, session.storage, connections.open()]) {
        assertEquals(await storage.commit([commit]), [DONE]);
      }
      assertEquals(await session.storage.commit([commit, commit]), [DONE, DONE]);
      assertEquals((await read(session.storage, key)).version, versionOf(commit));
    },
  },
  {
    name: "commit() sent again does not undo what others did since",
    async run(connections) {
      const session = new Session(connections.open());
      const other = new Session(connections.open());
      const [a, b] = scopes("a", "b");
      const checked = session.next([checkNever(a), checkNever(b)], [put(a, 1), put(b, 1)]);
      const blind = session.next([], [put(scope("c"), 1)]);
      await session.storage.commit([checked, blind]);
      await other.change(a, (value) => Number(value) + 10);
      await other.delete(b);
      await other.put(scope("c"), 20);
      assertEquals(await session.storage.commit([checked, blind]), [DONE, DONE]);
      assertEquals(await values(session.storage, [a, b, scope("c")]), [11, undefined, 20]);
    },
  },
  {
    name: "commit() sent again does not bring back what was deleted",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      const commit = session.next([checkNever(key)], [put(key, 1)]);
      await session.send(commit);
      await new Session(connections.open()).delete(key);
      assertEquals(await session.send(commit), DONE);
      assertEquals(await values(session.storage, [key]), [undefined]);
    },
  },
  {
    name: "commit() of a deletion sent again does not delete what was made since",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("a");
      await session.put(key, 1);
      const commit = session.next([check(await read(session.storage, key))], [remove(key)]);
      await session.send(commit);
      await new Session(connections.open()).put(key, 2);
      assertEquals(await session.send(commit), DONE);
      assertEquals(await values(session.storage, [key]), [2]);
    },
  },
  {
    name: "commit() sent again is recognised after later ones of its session",
    async run(connections) {
      const session = new Session(connections.open());
      const [a, b] = scopes("a", "b");
      const first = session.next([checkNever(a)], [put(a, 1), put(b, 1)]);
      const second = session.next([{ key: a, version: versionOf(first) }], [put(a, 2)]);
      assertEquals(await session.storage.commit([first, second]), [DONE, DONE]);
      assertEquals(await session.storage.commit([first, second]), [DONE, DONE]);
      assertEquals(await values(session.storage, [a, b]), [2, 1]);
    },
  },
  {
    name: "commit() that was refused is refused again, whatever happened since",
    async run(connections) {
      const session = new Session(connections.open());
      const other = new Session(connections.open());
      const key = scope("a");
      await other.put(key, 1);
      const commit = session.next([checkNever(key)], [put(key, 2)]);
      assert(!(await session.send(commit)).done);
      await other.delete(key);
      assert(!(await session.send(commit)).done, "taken after the deletion");
      await other.put(key, 3);
      assert(!(await session.send(commit)).done);
      assertEquals(await values(session.storage, [key]), [3]);
    },
  },
  {
    name: "commit() is recognised by session and number, not by one of them",
    async run(connections) {
      const storage = connections.open();
      const sessions = range(3).map(() => new Session(storage));
      for (const session of sessions) {
        const commit = session.next([], [put(scope("a"), session.id)]);
        assertEquals(commit.seq, 1);
        assertEquals(await session.send(commit), DONE);
        assertEquals(await values(storage, [scope("a")]), [session.id]);
      }
      await sessions[0]!.put(scope("a"), "later");
      assertEquals(await values(storage, [scope("a")]), ["later"]);
    },
  },
  {
    name: "commit() sent many times at once is done once",
    async run(connections) {
      const connection = range(4).map(() => connections.open());
      const session = new Session(connection[0]!);
      const key = scope("a");
      for (const round of range(10)) {
        const before = await read(session.storage, key);
        const commit = session.next([check(before)], [put(key, round)]);
        const results = await Promise.all(range(8).map((i) => connection[i % 4]!.commit([commit])));
        assertEquals(results, range(8).map(() => [DONE]));
        assertEquals((await read(session.storage, key)).version, versionOf(commit));
      }
    },
  },
  {
    name: "commit() recognises sessions of many writers",
    async run(connections) {
      const storage = connections.open();
      const sessions = range(60).map(() => new Session(storage));
      const commits = [];
      for (const session of sessions) {
        const commit = session.next([], [put(scope("a"), session.id)]);
        assertEquals(await session.send(commit), DONE);
        commits.push(commit);
      }
      assertEquals(await storage.commit(commits), commits.map(() => DONE));
      assertEquals(await values(storage, [scope("a")]), [sessions.at(-1)!.id]);
    },
  },
  {
    name:
      "commit() of a call that another has answered is refused, brings the reply, and changes nothing",
    async run(connections) {
      const reply: Key = ["reply", "svc.0", "", "key:1 \u00e9"];
      const expiry = Date.now() + 3_600_000;
      const [one, two] = [new Session(connections.open()), new Session(connections.open())];
      const answer = (session: Session, text: string) =>
        session.commit([checkNever(reply), checkNever(scope(text))], [
          put(scope(text), text),
          put(reply, { result: text }, expiry),
        ]);
      const results = await Promise.all([answer(one, "first"), answer(two, "second")]);
      const [winner, loser] = results[0]!.done ? ["first", "second"] : ["second", "first"];
      const refused = results.find(({ done }) => !done);
      assert(refused !== undefined && !refused.done, "both answered");
      assertEquals(refused.current.map(({ key, value }) => [key, value]), [
        [reply, JSON.stringify({ result: winner })],
      ]);
      assertEquals(await values(one.storage, [scope(winner!), scope(loser!)]), [winner, undefined]);
      assertEquals(
        (await Array.fromAsync(one.storage.scan({ prefix: ["scope"] }))).map(({ key }) => key[1]),
        [winner],
      );
    },
  },
  {
    name: "commit() is forgotten after the retention, with what was deleted",
    async run(connections) {
      const session = new Session(connections.open({ retention: 1 }));
      const key = scope("a");
      await session.put(key, 1);
      await session.delete(key);
      assertNotEquals(
        await readUntil(session.storage, key, ({ version }) => version === null),
        null,
      );
      assertEquals(await session.commit([checkNever(key)], [put(key, 2)]), DONE);
      assertEquals(await values(session.storage, [key]), [2]);
    },
  },
];
