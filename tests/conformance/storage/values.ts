/**
 * Cases: values come back as they were.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { type Case, DONE, put, range, read, scope, Session } from "./harness.ts";

const MIB = 1024 * 1024;

const TEXTS: readonly string[] = [
  "null",
  "false",
  "0",
  "-0",
  "1e400",
  '""',
  "[]",
  "{}",
  ' { "a" : 1 } ',
  '{"a":1,"a":2}',
  '"\\u0000"',
  '"\\ud800"',
  '"😀 \u2028 \u0301"',
  JSON.stringify("'; DROP TABLE records; -- \\' \\\\ \" ` %s %d ? ?? :a $1 \n\r\t\x1a"),
  JSON.stringify({ __proto__x: 1, constructor: { prototype: 2 } }),
  '{"__proto__":{"polluted":true}}',
  "9007199254740993",
  `${"[".repeat(500)}${"]".repeat(500)}`,
];

export const VALUES: readonly Case[] = [
  {
    name: "read() gives the same text that was stored",
    async run(connections) {
      const session = new Session(connections.open());
      for (const value of TEXTS) {
        await session.commit([], [{ op: "put", key: scope("a"), value }]);
        assertEquals((await read(session.storage, scope("a"))).value, value);
      }
    },
  },
  {
    name: "commit() takes 16 MiB, and not a byte more",
    async run(connections) {
      const session = new Session(connections.open());
      const key = scope("big");
      // quotes take two bytes in many an encoding, and é takes two in this one
      for (const letter of ["x", '\\"', "é"]) {
        const bytes = new TextEncoder().encode(letter).length;
        const value = `"${letter.repeat((16 * MIB - 2) / bytes)}"`;
        const before = await read(session.storage, key);
        const commit = session.next([{ key, version: before.version }], [{
          op: "put",
          key,
          value,
        }]);
        assertEquals(await session.send(commit), DONE);
        assert((await read(connections.open(), key)).value === value, "another value came back");
        const error = await assertRejects(
          () => session.commit([], [{ op: "put", key, value: `${value} ` }]),
          MpError,
        );
        assertEquals(error.code, "request_too_large");
      }
      const refused = await session.commit([{ key, version: null }], []);
      assert(!refused.done && refused.current[0]!.value!.length > 8 * MIB);
    },
  },
  {
    name: "commit() takes a batch of several large values",
    async run(connections) {
      const session = new Session(connections.open());
      const text = "y".repeat(7 * MIB);
      const results = await session.storage.commit(
        range(5).map((i) => session.next([], [put(scope(`big ${i}`), `${i}${text}`)])),
      );
      assertEquals(results, range(5).map(() => DONE));
      for (const i of range(5)) {
        const { value } = await read(session.storage, scope(`big ${i}`));
        assert(value === `"${i}${text}"`, "another value came back");
      }
    },
  },
];
