/**
 * Cases: names are any strings, and never mean anything but themselves.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { userScopeKey } from "../../../runtime/storage/key.ts";
import { type Case, put, read, scope, Session, values } from "./harness.ts";

/** Names that differ by little, or that mean something to somebody. */
export const STRANGE_NAMES: readonly string[] = [
  "",
  " ",
  "a",
  "a ",
  " a",
  "A",
  "á",
  "a\u0301",
  "a\0",
  "a\0b",
  "\n",
  "%",
  "%25",
  "%00",
  "a%",
  "_",
  "*",
  "a*",
  "?",
  "[a]",
  "{a}",
  "{mp:shop}",
  ":",
  "a:b",
  "a:",
  "::",
  "/",
  "../../etc/passwd",
  "\\",
  "\\'",
  "'",
  "''",
  '"',
  "`",
  "'; DROP TABLE records; --",
  "' OR '1'='1",
  "$(id)",
  "__proto__",
  "constructor",
  "toString",
  "undefined",
  "null",
  "0",
  "😀",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
  "ß",
  "SS",
  "ﬀ",
  "\ud800",
  "\udc00",
  "\ufffd",
  "x".repeat(512),
  "😀".repeat(128),
  "'".repeat(512),
];

export const NAMES: readonly Case[] = [
  {
    name: "commit() keeps every name apart, however strange",
    async run(connections) {
      const session = new Session(connections.open());
      for (const [i, name] of STRANGE_NAMES.entries()) {
        assertEquals(
          (await read(session.storage, scope(name))).version,
          null,
          JSON.stringify(name),
        );
        await session.put(scope(name), i);
      }
      const found = await values(session.storage, STRANGE_NAMES.map(scope));
      assertEquals(found, STRANGE_NAMES.map((_, i) => i));
      const scanned = await Array.fromAsync(session.storage.scan({ prefix: ["scope"] }));
      assertEquals(
        new Map(scanned.map(({ key, value }) => [key[1], Number(value)])),
        new Map(STRANGE_NAMES.map((name, i) => [name, i])),
      );
    },
  },
  {
    name: "commit() takes names of 512 bytes, and no longer ones",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("é".repeat(256)), 1);
      assertEquals(await values(session.storage, [scope("é".repeat(256))]), [1]);
      for (const name of ["x".repeat(513), "é".repeat(257), `${"😀".repeat(128)}x`]) {
        await assertRejects(() => session.put(scope(name), 1), RangeError, "512");
        await assertRejects(() => session.storage.read([scope(name)]), RangeError, "512");
      }
    },
  },
  {
    name: "commit() keeps a user's own scope apart from scopes of such names",
    async run(connections) {
      const session = new Session(connections.open());
      const keys = [userScopeKey("ann"), scope("user"), scope("user:ann"), scope("ann")];
      for (const [i, key] of keys.entries()) await session.put(key, i);
      assertEquals(await values(session.storage, keys), [0, 1, 2, 3]);
    },
  },
  {
    name: "commit() keeps kinds apart",
    async run(connections) {
      const session = new Session(connections.open());
      const kinds = ["scope", "reply", "queue", "timer", "lease"] as const;
      for (const kind of kinds) await session.commit([], [put([kind, "a"], kind)]);
      assertEquals(await values(session.storage, kinds.map((kind) => [kind, "a"])), [...kinds]);
    },
  },
  {
    name: "open() keeps namespaces apart, and shares one that is the same",
    async run(connections) {
      const spaces = ["shop", "Shop", "shop:a", "{shop}", "shop'"];
      for (const space of spaces) {
        const namespace = `${connections.namespace} ${space}`;
        const session = new Session(connections.open({ namespace }));
        assertEquals((await read(session.storage, scope("a"))).version, null);
        await session.put(scope("a"), space);
      }
      for (const space of spaces) {
        const storage = connections.open({ namespace: `${connections.namespace} ${space}` });
        assertEquals(await values(storage, [scope("a")]), [space]);
        const found = await Array.fromAsync(storage.scan({ prefix: ["scope"] }));
        assertEquals(found.map(({ value }) => JSON.parse(value)), [space]);
      }
    },
  },
];
