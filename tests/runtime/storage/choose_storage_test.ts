import { assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { chooseStorage, type StorageSources } from "../../../runtime/storage/choose_storage.ts";
import { formatStorageUrl } from "../../../runtime/storage/storage_url.ts";

const choose = (sources: Partial<StorageSources>) =>
  formatStorageUrl(chooseStorage({ env: {}, folder: "/shop", ...sources }));

Deno.test("chooseStorage() lets the flag beat the environment beat the script beat the default", () => {
  const flag = "redis://flag";
  const env = { MP_STORAGE: "redis://variable" };
  const script = { name: "redis", config: { host: "script" } };
  assertEquals(choose({ flag, env, script }), "redis://flag:6379/0");
  assertEquals(choose({ env, script }), "redis://variable:6379/0");
  assertEquals(choose({ script }), "redis://script:6379/0");
  assertEquals(choose({}), "file:///shop/.mp/data.db");
});

Deno.test("chooseStorage() takes a storage from the variables that hold its address", () => {
  assertEquals(choose({ env: { REDIS_URL: "redis://a:1" } }), "redis://a:1/0");
  assertEquals(choose({ env: { REDIS_HOST: "a" } }), "redis://a:6379/0");
  assertEquals(choose({ env: { REDIS_HOST: "a:7" } }), "redis://a:7/0");
  assertEquals(choose({ env: { REDIS_HOST: "::1" } }), "redis://[::1]:6379/0");
  assertEquals(choose({ env: { REDIS_URL: "redis://a", REDIS_HOST: "b" } }), "redis://a:6379/0");
  assertEquals(choose({ env: { MYSQL_URL: "mysql://a/b" } }), "mysql://a:3306/b");
  assertEquals(
    choose({ env: { REDIS_URL: "redis://a" }, script: { name: "file" } }),
    "redis://a:6379/0",
  );
  assertEquals(choose({ env: { MP_STORAGE: "", REDIS_HOST: "" } }), "file:///shop/.mp/data.db");
});

Deno.test("chooseStorage() gives a bare name the address that is known", () => {
  const env = { REDIS_HOST: "variable", MYSQL_URL: "mysql://variable/a" };
  const script = { name: "redis", config: { host: "script", port: 7 } };
  assertEquals(choose({ flag: "redis", env, script }), "redis://variable:6379/0");
  assertEquals(choose({ flag: "redis", script }), "redis://script:7/0");
  assertEquals(choose({ flag: "redis" }), "redis://127.0.0.1:6379/0");
  assertEquals(choose({ flag: "mysql", env }), "mysql://variable:3306/a");
  assertEquals(choose({ flag: "mysql" }), "mysql://root@127.0.0.1:3306/data");
  assertEquals(choose({ flag: "file", env }), "file:///shop/.mp/data.db");
  assertEquals(choose({ env: { ...env, MP_STORAGE: "mysql" } }), "mysql://variable:3306/a");
  assertEquals(choose({ flag: "memory" }), "memory:");
});

Deno.test("chooseStorage() asks which, where the environment has two addresses", () => {
  const env = { REDIS_URL: "redis://a", MYSQL_URL: "mysql://b/c" };
  const error = assertThrows(() => choose({ env }), MpError);
  assertEquals(
    [error.code, error.message, error.next],
    [
      "usage",
      "Cannot choose a storage: the environment has the address of both redis and mysql",
      "Set MP_STORAGE to redis or mysql",
    ],
  );
  assertEquals(choose({ env, script: { name: "mysql" } }), "mysql://b:3306/c");
  assertEquals(choose({ env, flag: "file" }), "file:///shop/.mp/data.db");
});

Deno.test("chooseStorage() refuses a variable that holds the address of another storage", () => {
  const error = assertThrows(() => choose({ env: { REDIS_URL: "mysql://a/b" } }), MpError);
  assertEquals([error.code, error.where], ["usage", "REDIS_URL"]);
  assertEquals(error.message, "Cannot use REDIS_URL: it is the address of mysql");
});

Deno.test("chooseStorage() takes what scripts configure, as the original's did", () => {
  const script = (name: string, config?: unknown) => choose({ script: { name, config } });
  assertEquals(script("file", { directory: "data" }), "file:///shop/data/data.db");
  assertEquals(script("file", { directory: "/var" }), "file:///var/data.db");
  assertEquals(script("file", { path: "a b.db" }), "file:///shop/a%20b.db");
  assertEquals(script("file"), "file:///shop/.mp/data.db");
  assertEquals(script("redis", { host: "h" }), "redis://h:6379/0");
  assertEquals(script("redis", "redis://h/2"), "redis://h:6379/2");
  assertEquals(script("redis", { url: "redis://h/2" }), "redis://h:6379/2");
  assertEquals(
    script("redis", { host: "h", username: "ann", password: "a:b@/c", sharding: "scope" }),
    "redis://ann:a%3Ab%40%2Fc@h:6379/0?sharding=scope",
  );
  assertEquals(
    script("mysql", { host: "localhost", user: "root", database: "data" }),
    "mysql://root@localhost:3306/data",
  );
  assertEquals(script("mysql"), "mysql://root@127.0.0.1:3306/data");
  assertEquals(script("memory", {}), "memory:");
});

Deno.test("chooseStorage() keeps the namespace of a script wherever its scopes are", () => {
  const script = { name: "file", config: { path: "a.db", namespace: "both shops" } };
  assertEquals(choose({ script }), "file:///shop/a.db?namespace=both%20shops");
  assertEquals(
    choose({ script, flag: "redis" }),
    "redis://127.0.0.1:6379/0?namespace=both%20shops",
  );
  assertEquals(choose({ script, flag: "redis://h?namespace=b" }), "redis://h:6379/0?namespace=b");
  for (const namespace of ["", "a".repeat(129), 5]) {
    const wrong = { name: "memory", config: { namespace } };
    assertThrows(() => choose({ script: wrong }), MpError, `its namespace "${namespace}"`);
    const flag = `file:a.db?namespace=${namespace}`;
    if (namespace !== 5) assertThrows(() => choose({ flag }), MpError, "its namespace is");
  }
});

Deno.test("original bug: an unknown storage is silently ignored", () => {
  const error = assertThrows(
    () => choose({ script: { name: "reddis", where: "shop.ts:3:1" } }),
    MpError,
  );
  assertEquals([error.code, error.where], ["topology_invalid", "shop.ts:3:1"]);
  assertEquals(error.message, 'Cannot use the storage "reddis": there is none of that name');
  assertThrows(() => choose({ flag: "file", script: { name: "reddis" } }), MpError);
});

Deno.test("chooseStorage() refuses options that a storage does not have", () => {
  const wrong = (config: unknown, message: string) => {
    const error = assertThrows(() => choose({ script: { name: "redis", config } }), MpError);
    assertEquals(error.code, "topology_invalid");
    assertEquals(error.message, `Cannot configure the storage "redis": ${message}`);
    return error.next;
  };
  const next = wrong({ hots: "h" }, 'it has no option "hots"');
  assertEquals(next?.startsWith('Did you mean "host"? '), true, next);
  wrong({ host: "h/../x" }, '"h/../x:6379" is no host and port');
  wrong({ host: "" }, '":6379" is no host and port');
  wrong({ port: 1.5 }, '"127.0.0.1:1.5" is no host and port');
  wrong({ host: ["h"] }, 'its option "host" is no string, number or boolean');
  wrong(5, "5 is no configuration");
  wrong({ url: "mysql://a/b" }, "its url is that of mysql");
});
