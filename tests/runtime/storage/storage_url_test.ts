import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MpError } from "../../../runtime/errors.ts";
import type { StorageConfig } from "../../../runtime/storage/storage_config.ts";
import {
  formatStorageUrl,
  parseStorageUrl,
  showStorage,
} from "../../../runtime/storage/storage_url.ts";

const source = { where: "--storage", folder: "/shop" };
const parse = (text: string) => parseStorageUrl(text, source);
const redis = { storage: "redis", host: "h", port: 6379, tls: false, timeout: 10_000 } as const;
const mysql = { storage: "mysql", host: "h", port: 3306, tls: false, timeout: 10_000 } as const;

const GOOD: readonly [string, StorageConfig][] = [
  ["memory:", { storage: "memory" }],
  ["file:data.db", { storage: "file", path: "/shop/data.db" }],
  ["file:./a/../data.db", { storage: "file", path: "/shop/data.db" }],
  ["file:///var/data.db", { storage: "file", path: "/var/data.db" }],
  ["file:/var/a%20b.db", { storage: "file", path: "/var/a b.db" }],
  ["./data", { storage: "file", path: "/shop/data" }],
  ["../data", { storage: "file", path: "/data" }],
  ["/var/a b", { storage: "file", path: "/var/a b" }],
  ["data.db", { storage: "file", path: "/shop/data.db" }],
  ["sub/data.sqlite", { storage: "file", path: "/shop/sub/data.sqlite" }],
  ["redis://h", { ...redis, database: 0, sharding: "app" }],
  ["redis://h/3", { ...redis, database: 3, sharding: "app" }],
  ["redis://h:1?sharding=scope", { ...redis, port: 1, database: 0, sharding: "scope" }],
  ["rediss://h", { ...redis, tls: true, database: 0, sharding: "app" }],
  ["rediss://h?tls=no-verify", { ...redis, tls: "no-verify", database: 0, sharding: "app" }],
  ["redis://:p%40ss@h?timeout=50", {
    ...redis,
    password: "p@ss",
    timeout: 50,
    database: 0,
    sharding: "app",
  }],
  ["redis://[::1]:7", { ...redis, host: "::1", port: 7, database: 0, sharding: "app" }],
  ["mysql://u:p@h/shop", { ...mysql, user: "u", password: "p", database: "shop" }],
  ["memory:?namespace=a", { storage: "memory", namespace: "a" }],
  ["file:data.db?namespace=a%26b", { storage: "file", path: "/shop/data.db", namespace: "a&b" }],
  ["redis://h?namespace=a&sharding=scope", {
    ...redis,
    database: 0,
    sharding: "scope",
    namespace: "a",
  }],
  ["mysql://h/shop?timeout=50&namespace=a", {
    ...mysql,
    timeout: 50,
    database: "shop",
    namespace: "a",
  }],
  ["mariadb://h:1/a%20b?socketPath=/run/s", {
    ...mysql,
    port: 1,
    database: "a b",
    socketPath: "/run/s",
  }],
];

Deno.test("parseStorageUrl() reads storages, and formatStorageUrl() gives them back", () => {
  for (const [text, config] of GOOD) {
    assertEquals(parse(text), config, text);
    assertEquals(parse(formatStorageUrl(config)), config, text);
  }
});

Deno.test("formatStorageUrl() keeps every user, password and database", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(text, text, text, (user, password, database) => {
      fc.pre(!database.includes("/"));
      const config: StorageConfig = { ...mysql, user, password, database };
      assertEquals(parse(formatStorageUrl(config)), config);
    }),
    { examples: [[" ", " ", "."], [" ", " ", ".."]] },
  );
});

Deno.test("parseStorageUrl() says what is wrong", () => {
  const wrong = (text: string, message: string, next?: string) => {
    const error = assertThrows(() => parse(text), MpError);
    assertEquals([error.code, error.where], ["usage", "--storage"]);
    assertEquals(error.message, message);
    if (next !== undefined) assertEquals(error.next, next);
  };
  const names = "Storages are file, redis, mysql, memory";
  wrong(
    "reddis",
    'Cannot use the storage "reddis": there is none of that name',
    `Did you mean "redis"? ${names}`,
  );
  wrong(
    "MySql",
    'Cannot use the storage "MySql": there is none of that name',
    `Did you mean "mysql"? ${names}`,
  );
  wrong("mongo", 'Cannot use the storage "mongo": there is none of that name', names);
  wrong("mongodb://h", 'Cannot use the storage "mongodb": there is none of that name', names);
  wrong("", 'Cannot use the storage "": there is none of that name', names);
  wrong("toString", 'Cannot use the storage "toString": there is none of that name', names);
  const file = "Write file:data.db for a file beside the script, or file:///folder/data.db";
  wrong("file:", 'Cannot use the storage "file:": it names no file', file);
  wrong("file://data.db", 'Cannot use the storage "file://data.db": it names a host', file);
  wrong(
    "file:a.db?mode=ro",
    'Cannot use the storage "file:a.db?mode=ro": a file has no options',
    file,
  );
  wrong("redis://h:99999", 'Cannot use the storage "redis://h:99999": it is not a valid URL');
  wrong(
    "redis://h/shop",
    'Cannot use the storage "redis://h/shop": its database is "shop", which is no number',
  );
  wrong(
    "redis://h?shard=1",
    'Cannot use the storage "redis://h?shard=1": redis has no option "shard"',
    "Its options are sharding, timeout, tls",
  );
  wrong(
    "redis://h?sharding=x",
    'Cannot use the storage "redis://h?sharding=x": sharding is "x", not app or scope',
  );
  wrong(
    "redis://h?timeout=0",
    'Cannot use the storage "redis://h?timeout=0": timeout is "0", which is no number of milliseconds',
  );
  wrong(
    "redis://h?tls=maybe",
    'Cannot use the storage "redis://h?tls=maybe": tls is "maybe", not true, false or no-verify',
  );
  wrong(
    "mysql://h",
    'Cannot use the storage "mysql://h": it names no database',
    "Write mysql://user:password@host:3306/database",
  );
  wrong("memory:?x=1", 'Cannot use the storage "memory:?x=1": memory has no option "x"');
});

Deno.test("parseStorageUrl() and showStorage() show no password", () => {
  const error = assertThrows(() => parse("redis://ann:secret@h/x"), MpError);
  assertEquals(error.message.includes("secret"), false, error.message);
  assertEquals(showStorage(parse("redis://ann:secret@h/1")), "redis://ann:***@h:6379/1");
  assertEquals(showStorage(parse("mysql://ann@h/shop")), "mysql://ann@h:3306/shop");
  assertEquals(showStorage(parse("data.db")), "/shop/data.db");
  assertEquals(showStorage(parse("memory:")), "memory");
});
