import { assert, assertEquals, assertRejects } from "@std/assert";
import { redisStorage } from "../../../drivers/storage/redis.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { RedisConfig } from "../../../runtime/storage/storage_config.ts";
import { parseStorageUrl } from "../../../runtime/storage/storage_url.ts";
import {
  check,
  checkNever,
  DONE,
  put,
  range,
  read,
  scope,
  Session,
  values,
} from "../../conformance/storage/harness.ts";
import { testStorage } from "../../conformance/storage/suite.ts";
import { needsProgram, testWith } from "../../support/needs.ts";
import { makeCertificate } from "../../support/servers/certificate.ts";
import { type RedisServer, startRedis } from "../../support/servers/redis_server.ts";
import { freePort } from "../../support/servers/test_server.ts";
import { startProxy } from "../../support/servers/tcp_proxy.ts";

const needs = needsProgram("redis-server", "apt-get install redis-server");

const configOf = (url: string) =>
  parseStorageUrl(url, { where: "the test", folder: "/" }) as RedisConfig;

const open = (url: string, onWarning?: (warning: string) => void) =>
  redisStorage({ config: configOf(url), namespace: "shop", onWarning });

testStorage("redis", async () => {
  const server = await startRedis();
  return {
    open: (options) => redisStorage({ ...options, config: configOf(server.url) }),
    server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}, { needs });

/** The code, reason and message of a call's fault. */
async function faultOf(call: () => Promise<unknown>) {
  const { code, reason, message, next } = await assertRejects(call, MpError);
  return { code, reason, message, next };
}

/** How often a command was carried out. */
async function callsOf(server: RedisServer, command: string): Promise<number> {
  const stats = await server.ask("INFO", "commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

testWith(needs, "commit() makes one request to redis, whatever is in it", async () => {
  await using server = await startRedis();
  await using storage = open(server.url);
  const session = new Session(storage);
  await session.put(scope("a"), 1);
  const before = await callsOf(server, "evalsha");
  const states = await storage.read([scope("a"), scope("b")]);
  const batch = range(64).map((i) => session.next([], [put(scope(`k${i}`), i)]));
  await storage.commit([...batch, session.next(states.map(check), [put(scope("b"), 1)])]);
  assertEquals(await callsOf(server, "evalsha") - before, 2);
  assertEquals(await callsOf(server, "eval"), 1);
});

testWith(needs, "commit() gives redis its script again when that has forgotten it", async () => {
  await using server = await startRedis();
  await using storage = open(server.url);
  const session = new Session(storage);
  await session.put(scope("a"), 1);
  await server.ask("SCRIPT", "FLUSH");
  await session.put(scope("a"), 2);
  assertEquals(await values(storage, [scope("a")]), [2]);
});

testWith(needs, "redisStorage() leaves nothing in redis that is over", async () => {
  await using server = await startRedis();
  const config = configOf(server.url);
  await using storage = redisStorage({ config, namespace: "shop", retention: 60_000 });
  const session = new Session(storage);
  await session.put(scope("a"), 1);
  await session.put(scope("b"), 1);
  assertEquals(await server.ask("PTTL", "{mp:shop}:scope:a"), "-1");
  await session.delete(scope("a"));
  const left = Number(await server.ask("PTTL", "{mp:shop}:scope:a"));
  assert(left > 0 && left <= 60_000, `${left} ms are left`);
  assertEquals(await server.ask("ZRANGE", "{mp:shop}", "0", "-1"), "scope:b");
  await session.put(scope("a"), 2);
  assertEquals(await server.ask("PTTL", "{mp:shop}:scope:a"), "-1");
  assertEquals(await server.ask("ZRANGE", "{mp:shop}", "0", "-1"), "scope:a\nscope:b");
});

testWith(needs, "redisStorage() takes out of its index what has gone by itself", async () => {
  await using server = await startRedis();
  const config = configOf(server.url);
  await using storage = redisStorage({ config, namespace: "shop", retention: 200 });
  const session = new Session(storage);
  const reply = (i: number) => put(["reply", "svc.0", "", `key ${i}`], i, Date.now() + 1);
  await storage.commit(range(50).map((i) => session.next([], [reply(i)])));
  await session.commit([], [put(scope("kept"), 1), put(scope("later"), 1, Date.now() + 60_000)]);
  const end = performance.now() + 20_000;
  for (let i = 50;; i++) {
    await session.commit([], [reply(i)]);
    const index = (await server.ask("ZRANGE", "{mp:shop}", "0", "-1")).split("\n");
    const expiries = (await server.ask("ZRANGE", "{mp:shop}!", "0", "-1")).split("\n");
    assert(index.includes("scope:kept") && index.includes("scope:later"), index.join());
    const left = [...index, ...expiries].filter((key) => /%20[0-4]?[0-9]$/.test(key));
    if (left.length === 0) break;
    assert(performance.now() < end, `still ${left}`);
  }
});

testWith(needs, "redisStorage() forgets sessions that are over", async () => {
  await using server = await startRedis();
  const config = configOf(server.url);
  await using storage = redisStorage({ config, namespace: "shop", retention: 1 });
  for (const i of range(30)) await new Session(storage).put(scope("a"), i);
  const end = performance.now() + 10_000;
  for (;;) {
    await new Session(storage).put(scope("a"), "last");
    const fields = (await server.ask("HKEYS", "{mp:shop}:scope:a")).split("\n");
    if (fields.filter((field) => field.startsWith("w:")).length <= 3) break;
    assert(performance.now() < end, `still ${fields.length} fields`);
  }
});

testWith(needs, "redisStorage() tells a wrong password from a server that is away", async () => {
  await using server = await startRedis({ requirepass: "se:c@ret" });
  const url = (password: string) => `redis://${password}127.0.0.1:${server.port}`;
  for (const password of ["", ":wrong@", "ann:se%3Ac%40ret@"]) {
    await using storage = open(url(password));
    const fault = await faultOf(() => storage.read([]));
    assertEquals([fault.code, fault.reason], ["storage_unavailable", "refused"]);
    assert(
      fault.message.startsWith(`Cannot reach redis at 127.0.0.1:${server.port}: `) ||
        fault.message.startsWith(`Cannot use redis at 127.0.0.1:${server.port}: `),
      fault.message,
    );
    assert(!fault.message.includes("wrong"), fault.message);
    assertEquals(
      fault.next,
      "Write the user and password into the URL: redis://user:password@host:port",
    );
  }
  await using storage = open(url(":se%3Ac%40ret@"));
  assertEquals(await storage.read([]), []);
});

testWith(
  needs,
  "commit() whose reply is lost says so, and is done once when it is sent again",
  async () => {
    await using server = await startRedis();
    await using proxy = await startProxy(server);
    await using storage = open(`redis://127.0.0.1:${proxy.port}`);
    const session = new Session(storage);
    await session.put(scope("a"), 1);
    const commit = session.next([], [put(scope("a"), 2)]);
    proxy.holdReplies(true);
    const lost = faultOf(() => session.send(commit));
    await proxy.replyHeld();
    proxy.cut();
    assertEquals((await lost).reason, "reply_lost");
    proxy.holdReplies(false);
    await using other = open(server.url);
    assertEquals(await values(other, [scope("a")]), [2]);
    await new Session(other).put(scope("a"), 3);
    assertEquals(await session.send(commit), DONE);
    assertEquals(await values(storage, [scope("a")]), [3]);
  },
);

testWith(needs, "commit() whose signal aborts leaves the connection to others", async () => {
  await using server = await startRedis();
  await using proxy = await startProxy(server);
  await using storage = open(`redis://127.0.0.1:${proxy.port}`);
  const session = new Session(storage);
  await session.put(scope("a"), 1);
  const { connections } = proxy;
  proxy.holdReplies(true);
  const controller = new AbortController();
  const commit = session.next([], [put(scope("a"), 2)]);
  const lost = faultOf(() => session.send(commit, controller.signal));
  const patient = session.put(scope("b"), 1);
  await proxy.replyHeld();
  controller.abort();
  assertEquals((await lost).reason, "reply_lost");
  proxy.holdReplies(false);
  await patient;
  assertEquals(await values(storage, [scope("a")]), [2]);
  assertEquals(proxy.connections, connections);
});

testWith(needs, "redisStorage() gives up a connection that does not answer", async () => {
  await using server = await startRedis();
  await using proxy = await startProxy(server);
  await using storage = open(`redis://127.0.0.1:${proxy.port}?timeout=2000`);
  const session = new Session(storage);
  await session.put(scope("a"), 1);
  proxy.holdReplies(true);
  assertEquals((await faultOf(() => session.put(scope("a"), 2))).reason, "reply_lost");
  proxy.holdReplies(false);
  await session.put(scope("a"), 3);
  assertEquals(proxy.connections, 2);
});

testWith(needs, "redisStorage() finds a server that was away when it is back", async () => {
  await using server = await startRedis();
  await using proxy = await startProxy(server);
  await using storage = open(`redis://127.0.0.1:${proxy.port}`);
  proxy.refuse(true);
  const fault = await faultOf(() => storage.read([], { signal: AbortSignal.timeout(2_000) }));
  assertEquals([fault.code, fault.reason], ["storage_unavailable", "unreachable"]);
  proxy.refuse(false);
  assertEquals(await storage.read([]), []);
});

testWith(needs, "redisStorage() warns of settings that lose data, once", async () => {
  const bad = { appendonly: "no", "maxmemory-policy": "allkeys-lru" };
  await using loses = await startRedis(bad);
  await using hurries = await startRedis({ appendfsync: "everysec" });
  await using keeps = await startRedis();
  const warningsOf = async (server: RedisServer, count: number) => {
    const warnings: string[] = [];
    const told = Promise.withResolvers<void>();
    await using storage = open(server.url, (warning) => {
      warnings.push(warning);
      if (warnings.length === count) told.resolve();
    });
    await storage.read([]);
    if (count > 0) await told.promise;
    await storage.read([]);
    return warnings;
  };
  assertEquals(await warningsOf(loses, 2), [
    "Redis may drop scopes when its memory is full (maxmemory-policy allkeys-lru); set it to noeviction",
    "Redis loses commits when it dies (appendonly no); set appendonly yes",
  ]);
  assertEquals(await warningsOf(hurries, 1), [
    "Redis can lose the last commits when it dies (appendfsync everysec); set appendfsync always",
  ]);
  assertEquals(await warningsOf(keeps, 0), []);
});

testWith(needs, "commit() to a redis without memory does nothing, and says so", async () => {
  await using server = await startRedis();
  await using storage = open(server.url);
  const session = new Session(storage);
  await session.put(scope("kept"), 1);
  await server.ask("CONFIG", "SET", "maxmemory", "1");
  const fault = await faultOf(() => session.put(scope("kept"), 2));
  assertEquals([fault.code, fault.reason], ["storage_unavailable", "full"]);
  assertEquals(await values(storage, [scope("kept")]), [1]);
});

testWith(
  needs,
  "commit() to a redis that stands by is not carried out, and is when it leads",
  async () => {
    await using server = await startRedis();
    await using storage = open(server.url);
    const session = new Session(storage);
    await session.put(scope("a"), 1);
    await server.ask("REPLICAOF", "127.0.0.1", "1");
    assertEquals((await faultOf(() => session.put(scope("a"), 2))).reason, "unreachable");
    await server.ask("REPLICAOF", "NO", "ONE");
    await session.put(scope("b"), 1);
    assertEquals(await values(storage, [scope("a"), scope("b")]), [1, 1]);
  },
);

testWith(needs, "read() of what another program put there says that it is damaged", async () => {
  await using server = await startRedis();
  await using storage = open(server.url);
  await server.ask("SET", "{mp:shop}:scope:a", "mine");
  const fault = await faultOf(() => read(storage, scope("a")));
  assertEquals([fault.code, fault.reason], ["storage_unavailable", "damaged"]);
});

testWith(
  needs,
  "redisStorage() with sharding=scope keeps scopes apart, and refuses two at once",
  async () => {
    await using server = await startRedis();
    await using storage = open(`${server.url}?sharding=scope`);
    const session = new Session(storage);
    const batch = range(20).map((i) =>
      session.next([checkNever(scope(`k${i}`))], [put(scope(`k${i}`), i)])
    );
    assertEquals(await storage.commit(batch), batch.map(() => DONE));
    assertEquals(await values(storage, [scope("k7")]), [7]);
    assertEquals(await server.ask("EXISTS", "{mp:shop:scope:k7}"), "1");
    const two = session.next([], [put(scope("k1"), 0), put(scope("k2"), 0)]);
    for (const call of [() => session.send(two), () => storage.read([scope("k1"), scope("k2")])]) {
      const fault = await faultOf(call);
      assertEquals(fault.code, "unsupported");
      assertEquals(
        fault.message,
        "Cannot use 2 scopes in one transaction: redis keeps each apart (sharding=scope)",
      );
    }
    await session.delete(scope("k0"));
    const found = await Array.fromAsync(storage.scan({ prefix: ["scope"] }, { limit: 5 }));
    assertEquals(found.map(({ key }) => key[1]), ["k1", "k10", "k11", "k12", "k13"]);
  },
);

/** Two servers that hold half of the slots each. */
async function startCluster() {
  const settings = { "cluster-enabled": "yes", appendonly: "no" };
  const servers = [await startRedis(settings), await startRedis(settings)] as const;
  const [one, two] = servers;
  await one.ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
  await two.ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
  await one.ask("CLUSTER", "MEET", "127.0.0.1", String(two.port));
  const end = performance.now() + 20_000;
  for (const server of servers) {
    while (!(await server.ask("CLUSTER", "INFO")).includes("cluster_state:ok")) {
      assert(performance.now() < end, "the cluster does not come up");
    }
  }
  return {
    servers,
    url: one.url,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

testWith(needs, "redisStorage() finds the server of a cluster that holds its keys", async () => {
  await using cluster = await startCluster();
  const sizes = () =>
    Promise.all(cluster.servers.map(async (server) => Number(await server.ask("DBSIZE"))));
  // the slots of these two are on different servers
  for (const namespace of ["shop", "store"]) {
    const config = configOf(cluster.url);
    await using storage = redisStorage({ config, namespace });
    const session = new Session(storage);
    const keys = ["a", "b", "c"].map(scope);
    const states = await storage.read(keys);
    const commit = session.next(states.map(check), keys.map((key) => put(key, namespace)));
    assertEquals(await session.send(commit), DONE);
    assertEquals(await values(storage, keys), [namespace, namespace, namespace]);
    assertEquals((await Array.fromAsync(storage.scan({ prefix: ["scope"] }))).length, 3);
  }
  assertEquals(await sizes(), [4, 4]);
  await using apart = open(`${cluster.url}?sharding=scope`);
  const session = new Session(apart);
  const batch = range(40).map((i) => session.next([], [put(scope(`k${i}`), i)]));
  assertEquals(await apart.commit(batch), batch.map(() => DONE));
  assertEquals(await values(apart, [scope("k7")]), [7]);
  const found = await Array.fromAsync(apart.scan({ prefix: ["scope"] }));
  assertEquals(found.map(({ key }) => key[1]!), range(40).map((i) => `k${i}`).sort());
  const [one, two] = await sizes();
  assert(one! > 4 && two! > 4, `all keys are on one server: ${one} and ${two}`);
  assertEquals(one! + two!, 48);
});

testWith(
  [needs, needsProgram("openssl", "apt-get install openssl")],
  "redisStorage() encrypts, and asks who it is that answers",
  async () => {
    await using files = await makeCertificate();
    const port = freePort();
    await using _server = await startRedis({
      "tls-port": String(port),
      "tls-cert-file": files.certificate,
      "tls-key-file": files.key,
      "tls-ca-cert-file": files.certificate,
      "tls-auth-clients": "no",
    });
    await using verified = open(`rediss://127.0.0.1:${port}`);
    assertEquals((await faultOf(() => verified.read([]))).reason, "unreachable");
    await using encrypted = open(`rediss://127.0.0.1:${port}?tls=no-verify`);
    await new Session(encrypted).put(scope("a"), 1);
    assertEquals(await values(encrypted, [scope("a")]), [1]);
  },
);
