import { assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import {
  checkValue,
  encodeCommit,
  MAX_VALUE_BYTES,
} from "../../../runtime/storage/encode_commit.ts";
import type { Commit, Mutation } from "../../../runtime/storage/storage.ts";

const commit = (mutations: readonly Mutation[], other: Partial<Commit> = {}): Commit => ({
  session: "abcdefgh",
  seq: 1,
  checks: [],
  mutations,
  ...other,
});

Deno.test("encodeCommit() encodes keys, versions and values", () => {
  const encoded = encodeCommit(commit([
    { op: "put", key: ["scope", "a b"], value: "1" },
    { op: "put", key: ["reply", "r"], value: "2", expiresAt: 5 },
    { op: "delete", key: ["scope", "c"] },
  ], {
    checks: [{ key: ["scope", "a b"], version: null }, { key: ["scope", "c"], version: "v" }],
  }));
  assertEquals(encoded, {
    session: "abcdefgh",
    seq: 1,
    version: "abcdefgh.1",
    checks: [{ key: "scope:a%20b", version: "" }, { key: "scope:c", version: "v" }],
    writes: [
      { key: "scope:a%20b", value: "1", expiresAt: 0 },
      { key: "reply:r", value: "2", expiresAt: 5 },
      { key: "scope:c", value: null, expiresAt: 0 },
    ],
  });
});

Deno.test("encodeCommit() refuses wrong arguments", () => {
  const encode = (mutation: unknown) => () => encodeCommit(commit([mutation as Mutation]));
  const key = ["scope", "a"] as const;
  assertThrows(
    encode({ op: "put", key, value: 5 }),
    TypeError,
    'Cannot store scope "a": its value is not JSON text',
  );
  assertThrows(
    encode({ op: "put", key, value: "1", expiresAt: "soon" }),
    RangeError,
    'Cannot let scope "a" expire at soon',
  );
  assertThrows(
    encode({ op: "rename", key }),
    TypeError,
    'Cannot change scope "a": there is no operation "rename"',
  );
  assertThrows(
    () => encodeCommit(commit([], { checks: [{ key, version: "" }] })),
    TypeError,
    'Cannot check scope "a": "" is no version',
  );
  assertThrows(() => encodeCommit(commit([], { session: "a b" })), TypeError, "session");
  assertThrows(() => encodeCommit(commit([], { seq: 1.5 })), RangeError, "1.5");
  assertThrows(
    () => encodeCommit(commit([{ op: "delete", key }, { op: "put", key, value: "1" }])),
    TypeError,
    'scope "a" is changed twice by the same commit',
  );
});

Deno.test("encodeCommit() says what is not built yet", () => {
  const error = assertThrows(
    () => encodeCommit(commit([{ op: "append", key: ["log", "orders"], events: ["1"] }])),
    MpError,
  );
  assertEquals(error.code, "unsupported");
  assertEquals(error.message, 'Cannot append log "orders": storages do not keep logs yet');
});

Deno.test("checkValue() counts bytes, not characters", () => {
  const key = ["scope", "a"] as const;
  for (const letter of ["x", "é", "€", "😀"]) {
    const bytes = new TextEncoder().encode(letter).length;
    const fits = `"${letter.repeat(Math.floor((MAX_VALUE_BYTES - 2) / bytes))}"`;
    assertEquals(checkValue(key, fits).length, fits.length);
    const error = assertThrows(() => checkValue(key, fits + letter + letter), MpError);
    assertEquals(error.code, "request_too_large");
  }
});
