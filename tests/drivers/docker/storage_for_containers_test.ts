import { assert, assertEquals, assertThrows } from "@std/assert";
import { storageForContainers } from "../../../drivers/docker/storage_for_containers.ts";
import { MpError } from "../../../runtime/errors.ts";

const choose = (given: Record<string, string>, around: Record<string, string> = {}) =>
  storageForContainers(given, (name) => around[name], "/home/me/topology.ts");

Deno.test("storageForContainers() keeps files in the volume", () => {
  assertEquals(choose({}), { env: {}, file: true });
  for (const MP_STORAGE of ["file", "./x.db", "file:/srv/data.db"]) {
    assertEquals(choose({ MP_STORAGE }), {
      env: { MP_STORAGE: "file:/app/.mp/data.db" },
      file: true,
    });
  }
  assertEquals(choose({ MP_STORAGE: "memory" }).file, false);
});

Deno.test("storageForContainers() hands on servers that containers reach, whoever names them", () => {
  const redis = { MP_STORAGE: "redis://db.example:6379" };
  assertEquals(choose(redis), { env: redis, file: false });
  assertEquals(choose({}, { REDIS_HOST: "10.0.0.7" }), {
    env: { REDIS_HOST: "10.0.0.7" },
    file: false,
  });
  const both = choose({ MP_STORAGE: "mysql" }, {
    MYSQL_URL: "mysql://u@host.docker.internal/data",
  });
  assertEquals(both.env.MYSQL_URL, "mysql://u@host.docker.internal/data");
});

Deno.test("storageForContainers() explains an address that means the container itself", () => {
  const wrong: Record<string, string>[] = [
    { MP_STORAGE: "redis" },
    { REDIS_URL: "redis://localhost:6379" },
    { MP_STORAGE: "redis://127.0.0.1" },
    { MP_STORAGE: "redis://[::1]:6379" },
    { MYSQL_URL: "mysql://root@localhost/data" },
    { MP_STORAGE: "mysql://root@db.example/data?socketPath=/run/mysqld.sock" },
  ];
  for (const given of wrong) {
    const error = assertThrows(() => choose(given), MpError, undefined, JSON.stringify(given));
    assertEquals([error.code, error.where], ["usage", Object.keys(given)[0]]);
    assert(error.message.includes("the container itself"), error.message);
    assert(error.next?.includes("host.docker.internal"));
  }
});

Deno.test("storageForContainers() looks at what the script chose, too", () => {
  const none = () => undefined;
  const file = { storage: "file", path: "/home/me/x.db" } as const;
  assertEquals(storageForContainers({}, none, "/home/me/topology.ts", file), {
    env: { MP_STORAGE: "file:/app/.mp/data.db" },
    file: true,
  });
  const redis = {
    storage: "redis",
    host: "localhost",
    port: 6379,
    database: 0,
    tls: false,
    timeout: 1000,
    sharding: "app",
  } as const;
  const error = assertThrows(
    () => storageForContainers({}, none, "/home/me/topology.ts", redis),
    MpError,
  );
  assertEquals(error.where, "mp.setStorage()");
});
