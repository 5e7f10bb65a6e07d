import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  decodeKey,
  encodeKey,
  encodeNamespace,
  encodePrefix,
  keyAfter,
  scopeKey,
  showKey,
  userScopeKey,
} from "../../../runtime/storage/key.ts";
import type { Key } from "../../../runtime/storage/storage.ts";

Deno.test("encodeKey() escapes all that is not plain", () => {
  assertEquals(encodeKey(["scope", "cart"]), "scope:cart");
  assertEquals(encodeKey(["scope", ""]), "scope:");
  assertEquals(encodeKey(["scope", "a:b", "c%"]), "scope:a%3Ab:c%25");
  assertEquals(encodeKey(["reply", "{x}' *"]), "reply:%7Bx%7D%27%20%2A");
  assertEquals(encodeKey(["scope", "é😀"]), "scope:%C3%A9%F0%9F%98%80");
  assertEquals(encodeKey(["scope", "\ud800", "\udc00a"]), "scope:%ED%A0%80:%ED%B0%80a");
});

const anyName = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom("__proto__", "%ED%A0%80", "\ud83d", "\ude00", "\ud83d\ude00", ":", "%3A"),
);
const anyKey = fc.array(anyName, { minLength: 1, maxLength: 3 }).map((
  names,
): Key => ["scope", ...names]);

Deno.test("decodeKey() gives back every key, of printable ASCII", () => {
  fc.assert(fc.property(anyKey, (key) => {
    const text = encodeKey(key);
    assert(/^[A-Za-z0-9_.~%:-]+$/.test(text), text);
    assertEquals(decodeKey(text), key);
  }));
});

Deno.test("encodeKey() never gives two keys one text", () => {
  fc.assert(fc.property(anyKey, anyKey, (one, two) => {
    assertEquals(encodeKey(one) === encodeKey(two), JSON.stringify(one) === JSON.stringify(two));
  }));
});

Deno.test("keyAfter() comes right after a key", () => {
  fc.assert(fc.property(anyKey, anyKey, (one, two) => {
    const [low, high] = [encodeKey(one), encodeKey(two)].sort() as [string, string];
    assert(keyAfter(low) > low);
    assert(high === low || keyAfter(low) <= high, `${low} ${high}`);
  }));
});

Deno.test("encodeKey() counts bytes, and refuses what is too long", () => {
  encodeKey(["scope", "é".repeat(256)]);
  assertThrows(
    () => encodeKey(["scope", "é".repeat(257)]),
    RangeError,
    `Cannot use the name "${"é".repeat(40)}…": it has 514 bytes, more than 512`,
  );
  assertThrows(() => encodeKey(["scope", "a".repeat(513)]), RangeError, "513 bytes");
  const long = "\0".repeat(512);
  assertThrows(() => encodeKey(["scope", long, long]), RangeError, "3079 bytes when escaped");
});

Deno.test("encodeKey() refuses what is no key", () => {
  // deno-lint-ignore no-explicit-any -- what JavaScript lets through
  const encode = (key: any) => () => encodeKey(key);
  assertThrows(encode("scope:a"), TypeError, 'Cannot use the key "scope:a"');
  assertThrows(encode(["scope"]), TypeError, "it is not a kind");
  assertThrows(encode(["shop", "a"]), TypeError, "it is not a kind (scope, reply, log");
  assertThrows(encode(["scope", 5]), TypeError, "Cannot use the name 5: it is not a string");
  assertThrows(encode(["scope", undefined]), TypeError, "Cannot use the name undefined");
});

Deno.test("encodePrefix() takes a kind alone", () => {
  assertEquals(encodePrefix(["scope"]), "scope");
  assertEquals(encodePrefix(["scope", "user"]), "scope:user");
});

Deno.test("encodeNamespace() holds no colon, and is not empty", () => {
  assertEquals(encodeNamespace("shop:a"), "shop%3Aa");
  assertThrows(() => encodeNamespace(""), RangeError, "its namespace is empty");
  assertThrows(() => encodeNamespace("é".repeat(65)), RangeError, "130 bytes, more than 128");
});

Deno.test("userScopeKey() is never the key of a scope", () => {
  assertEquals(userScopeKey("ann"), ["scope", "user", "ann"]);
  fc.assert(fc.property(anyName, anyName, (user, name) => {
    assert(encodeKey(userScopeKey(user)) !== encodeKey(scopeKey(name)));
  }));
});

Deno.test("showKey() names a key for people", () => {
  assertEquals(showKey(["scope", "cart"]), 'scope "cart"');
  assertEquals(showKey(["scope", "user", 'a"b']), 'scope "user" "a\\"b"');
  assertEquals(showKey(["scope", "x".repeat(50)]), `scope "${"x".repeat(40)}…"`);
});
