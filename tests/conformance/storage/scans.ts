/**
 * Cases: what is there, in order.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { userScopeKey } from "../../../runtime/storage/key.ts";
import type { Range, ScanOptions, Storage } from "../../../runtime/storage/storage.ts";
import { type Case, DONE, put, range, remove, scope, Session } from "./harness.ts";

const names = async (storage: Storage, where: Range, options?: ScanOptions) =>
  (await Array.fromAsync(storage.scan(where, options))).map(({ key }) => key.slice(1).join("/"));

export const SCANS: readonly Case[] = [
  {
    name: "scan() gives keys, versions and values in order",
    async run(connections) {
      const session = new Session(connections.open());
      const versions = [];
      for (const name of ["b", "a", "c"]) versions.push(await session.put(scope(name), name));
      assertEquals(await Array.fromAsync(session.storage.scan({ prefix: ["scope"] })), [
        { key: scope("a"), version: versions[1]!, value: '"a"' },
        { key: scope("b"), version: versions[0]!, value: '"b"' },
        { key: scope("c"), version: versions[2]!, value: '"c"' },
      ]);
    },
  },
  {
    name: "scan() leaves out what was deleted, and gives what was made again",
    async run(connections) {
      const session = new Session(connections.open());
      for (const name of ["a", "b", "c"]) await session.put(scope(name), 1);
      await session.delete(scope("a"));
      await session.delete(scope("b"));
      await session.delete(scope("never"));
      await session.put(scope("b"), 2);
      assertEquals(await names(session.storage, { prefix: ["scope"] }), ["b", "c"]);
    },
  },
  {
    name: "scan() gives what is under a prefix, and nothing that only looks so",
    async run(connections) {
      const session = new Session(connections.open());
      for (const key of [scope("user"), scope("user:x"), scope("users"), scope("use")]) {
        await session.put(key, 1);
      }
      for (const user of ["ann", "bob"]) await session.put(userScopeKey(user), 1);
      await session.put(["reply", "user", "eve"], 1);
      assertEquals(await names(session.storage, { prefix: ["scope", "user"] }), [
        "user/ann",
        "user/bob",
      ]);
      assertEquals((await names(session.storage, { prefix: ["scope"] })).length, 6);
      assertEquals(await names(session.storage, { prefix: ["scope", "nobody"] }), []);
      assertEquals(await names(session.storage, { prefix: ["timer"] }), []);
    },
  },
  {
    name: "scan() goes over many pages, from a key on, up to a limit",
    async run(connections) {
      const session = new Session(connections.open());
      const name = (i: number) => String(i).padStart(4, "0");
      const all = range(700).map(name);
      const batch = range(700).map((i) => session.next([], [put(scope(name(699 - i)), i)]));
      assertEquals(await session.storage.commit(batch), batch.map(() => DONE));
      assertEquals(
        await session.storage.commit(
          range(70).map((i) => session.next([], [remove(scope(name(i * 10)))])),
        ),
        range(70).map(() => DONE),
      );
      const left = all.filter((_, i) => i % 10 !== 0);
      assertEquals(await names(session.storage, { prefix: ["scope"] }), left);
      assertEquals(
        await names(session.storage, { prefix: ["scope"], after: scope(name(650)) }),
        left.filter((name) => name > "0650"),
      );
      assertEquals(
        await names(session.storage, { prefix: ["scope"] }, { limit: 300 }),
        left.slice(0, 300),
      );
      assertEquals(await names(session.storage, { prefix: ["scope"] }, { limit: 0 }), []);
      const after = { prefix: ["scope"], after: ["lease", "z"] } as const;
      assertEquals(await names(session.storage, after, { limit: 1 }), ["0001"]);
    },
  },
  {
    name: "scan() ends when its signal aborts, or its caller has enough",
    async run(connections) {
      const session = new Session(connections.open());
      for (const i of range(3)) await session.put(scope(String(i)), i);
      for await (const { value } of session.storage.scan({ prefix: ["scope"] })) {
        assertEquals(value, "0");
        break;
      }
      const signal = AbortSignal.abort(new Error("enough"));
      const scanning = () => names(session.storage, { prefix: ["scope"] }, { signal });
      await assertRejects(scanning, Error, "enough");
    },
  },
];
