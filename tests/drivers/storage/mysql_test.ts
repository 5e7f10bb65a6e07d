import { assert, assertEquals, assertRejects } from "@std/assert";
import { mysqlStorage } from "../../../drivers/storage/mysql.ts";
import { connectMysql } from "../../../drivers/storage/mysql_link.ts";
import { storageAdvice } from "../../../drivers/storage/storage_advice.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { MysqlConfig } from "../../../runtime/storage/storage_config.ts";
import { parseStorageUrl } from "../../../runtime/storage/storage_url.ts";
import {
  check,
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
import { type MysqlServer, startMysql } from "../../support/servers/mysql_server.ts";
import { startProxy } from "../../support/servers/tcp_proxy.ts";

const needs = needsProgram("mariadbd", "apt-get install mariadb-server");

const configOf = (url: string) =>
  parseStorageUrl(url, { where: "the test", folder: "/" }) as MysqlConfig;

const open = (url: string) => mysqlStorage({ config: configOf(url), namespace: "shop" });

testStorage("mysql", async () => {
  const server = await startMysql();
  return {
    open: (options) => mysqlStorage({ ...options, config: configOf(server.url) }),
    server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}, { needs });

/** The code, reason and message of a call's fault. */
async function faultOf(call: () => Promise<unknown>) {
  const { code, reason, message, next } = await assertRejects(call, MpError);
  return { code, reason, message, next };
}

/** Runs statements as root, and gives the rows of the first. */
async function ask(server: MysqlServer, statements: string): Promise<unknown[]> {
  const config = configOf(server.url);
  const root = { ...config, user: "root", password: "", socketPath: server.socketPath };
  const link = await connectMysql(root, new AbortController().signal);
  try {
    const [rows] = await link.query(`${statements}; DO 0`, undefined);
    return rows as unknown[];
  } finally {
    await link.end();
  }
}

testWith(needs, "mysqlStorage() on a server of its own", async (t) => {
  await using server = await startMysql({
    "max-allowed-packet": "1M",
    // modes that give quotes and backslashes another meaning
    "sql-mode": "NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH",
    "character-set-server": "latin1",
    "log-bin": "binlog",
    "sync-binlog": "0",
  });

  await t.step("warns of settings that lose data, once", async () => {
    const config = configOf(server.url);
    const sync =
      "MySQL can lose the last commits when its machine dies (sync_binlog 0); set it to 1";
    const flush = "MySQL can lose the last commits when it dies " +
      "(innodb_flush_log_at_trx_commit 2); set it to 1";
    const signal = new AbortController().signal;
    assertEquals(await storageAdvice(config, signal), [sync]);
    await ask(server, "SET GLOBAL innodb_flush_log_at_trx_commit = 2");
    assertEquals(await storageAdvice(config, signal), [flush, sync]);
    const warnings: string[] = [];
    const told = Promise.withResolvers<void>();
    const onWarning = (warning: string) => warnings.push(warning) === 2 && told.resolve();
    await using storage = mysqlStorage({ config, namespace: "shop", onWarning });
    await storage.read([]);
    await told.promise;
    assertEquals(warnings, [flush, sync]);
    await ask(server, "SET GLOBAL innodb_flush_log_at_trx_commit = 1; SET GLOBAL sync_binlog = 1");
    assertEquals(await storageAdvice(config, signal), []);
    const away = configOf(server.url.replace(/:\d+\//, ":1/"));
    const fault = await faultOf(() => storageAdvice(away, signal));
    assertEquals([fault.code, fault.reason], ["storage_unavailable", "unreachable"]);
  });

  await t.step("makes its tables once, however many begin at once", async () => {
    const storages = range(5).map(() => open(server.url));
    await Promise.all(storages.map((storage, i) => new Session(storage).put(scope(`a${i}`), i)));
    assertEquals(await values(storages[0]!, range(5).map((i) => scope(`a${i}`))), range(5));
    await Promise.all(storages.map((storage) => storage.close()));
  });

  await t.step("keeps texts as they are in whatever mode the server is", async () => {
    await using storage = open(server.url);
    const session = new Session(storage);
    const texts = ["\\", "\\'", "'", '"', "\\\\'", "'' or 1=1 -- ", "😀", "\x1a\r\n\t\b\0"];
    for (const text of texts) {
      await session.put(scope(text), text);
      assertEquals(await values(storage, [scope(text)]), [text]);
    }
  });

  await t.step("makes one request for a commit, whatever is in it", async () => {
    await using proxy = await startProxy(server);
    await using storage = open(server.url.replace(`:${server.port}/`, `:${proxy.port}/`));
    const session = new Session(storage);
    await session.put(scope("a"), 1);
    const states = await storage.read([scope("a"), scope("b"), scope("c")]);
    const before = proxy.requests;
    const commit = session.next(states.map(check), states.map(({ key }) => put(key, 2)));
    assertEquals(await session.send(commit), DONE);
    assertEquals(proxy.requests - before, 1);
    assert(!(await session.commit(states.map(check), [put(scope("a"), 3)])).done);
    assertEquals(proxy.requests - before, 2);
  });

  await t.step(
    "explains what the server does not take, and splits a batch that is too long",
    async () => {
      await using storage = open(server.url);
      const session = new Session(storage);
      const fault = await faultOf(() => session.put(scope("large"), "x".repeat(1024 * 1024)));
      assertEquals(fault.code, "request_too_large");
      const message =
        /^Cannot commit: the request has \d+ bytes, and the MySQL server takes 1048576$/;
      assert(message.test(fault.message), fault.message);
      assert(fault.next!.startsWith("Raise max_allowed_packet of the server to 64M"), fault.next);
      const text = "y".repeat(300 * 1024);
      const batch = range(9).map((i) => session.next([], [put(scope(`part ${i}`), i + text)]));
      assertEquals(await storage.commit(batch), batch.map(() => DONE));
      for (const i of range(9)) {
        assertEquals((await values(storage, [scope(`part ${i}`)]))[0], i + text);
      }
    },
  );

  await t.step("removes what is over", async () => {
    const config = configOf(server.url);
    await using storage = mysqlStorage({ config, namespace: "sweep", retention: 1 });
    for (const i of range(5)) {
      const session = new Session(storage);
      await session.put(scope(`a${i}`), i);
      await session.delete(scope(`a${i}`));
    }
    const end = performance.now() + 20_000;
    for (;;) {
      await new Session(storage).put(scope("kept"), 1);
      const records = await ask(server, "SELECT k FROM shop.mp_records WHERE k LIKE 'sweep:%'");
      const writers = await ask(server, "SELECT k FROM shop.mp_writers WHERE k LIKE 'sweep:%'");
      if (records.length === 1 && writers.length <= 3) break;
      assert(performance.now() < end, `still ${records.length} and ${writers.length}`);
    }
  });

  await t.step("goes on with the next commits where much is over, and then no more", async () => {
    let now = 0;
    const config = configOf(server.url);
    await using storage = mysqlStorage({ config, namespace: "much", clock: () => now });
    const session = new Session(storage);
    const over = async () =>
      (await ask(server, "SELECT k FROM shop.mp_records WHERE k LIKE 'over:%'")).length;
    const insert = (from: number, to: number) =>
      ask(
        server,
        "INSERT INTO shop.mp_records (k, version, expires_at, keep_until, value) " +
          `SELECT CONCAT('over:', seq), 'v', 0, 1, NULL FROM seq_${from}_to_${to}`,
      );
    await session.put(scope("a"), 0);
    await insert(1, 1_200);
    await session.put(scope("a"), 1);
    assertEquals(await over(), 1_200);
    now = 300_000 / 5;
    const counts = new Set([1_200]);
    for (let i = 2; !counts.has(0) && i < 1_000; i++) {
      await session.put(scope("a"), i);
      counts.add(await over());
    }
    assertEquals([...counts], [1_200, 700, 200, 0].filter((count) => counts.has(count)));
    assert(counts.has(0));
    await insert(1, 1);
    for (const i of range(5)) await session.put(scope("a"), i);
    assertEquals(await over(), 1);
  });

  await t.step("needs no right to make tables where they are", async () => {
    await ask(
      server,
      "CREATE USER reader@'%' IDENTIFIED BY 'secret'; " +
        "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO reader@'%'",
    );
    await using storage = open(server.url.replace("//mp:", "//reader:"));
    await new Session(storage).put(scope("right"), 1);
    assertEquals(await values(storage, [scope("right")]), [1]);
  });

  await t.step("says what it has no right to", async () => {
    await ask(
      server,
      "CREATE USER looker@'%' IDENTIFIED BY 'secret'; GRANT SELECT ON shop.* TO looker@'%'",
    );
    await using storage = open(server.url.replace("//mp:", "//looker:"));
    const fault = await faultOf(() => new Session(storage).put(scope("right"), 2));
    assertEquals([fault.code, fault.reason], ["storage_unavailable", "refused"]);
    assert(fault.next!.startsWith("GRANT SELECT, INSERT"), fault.next);
  });

  await t.step(
    "tells a wrong password and a missing database from a server that is away",
    async () => {
      const wrong = [
        [server.url.replace(":secret@", ":wrong@"), "Write the user and password into the URL"],
        [server.url.replace("/shop", "/nowhere"), "GRANT"],
        [`mysql://root@localhost/nowhere?socketPath=${server.socketPath}`, "CREATE DATABASE"],
      ] as const;
      for (const [url, next] of wrong) {
        await using storage = open(url);
        const fault = await faultOf(() => storage.read([]));
        assertEquals([fault.code, fault.reason], ["storage_unavailable", "refused"], fault.message);
        assert(fault.message.startsWith("Cannot reach mysql at "), fault.message);
        assert(!fault.message.includes("wrong"), fault.message);
        assert(next === "GRANT" || fault.next!.startsWith(next), fault.next);
      }
    },
  );

  await t.step("connects through a Unix socket", async () => {
    await using storage = open(
      `mysql://root@localhost/shop?socketPath=${encodeURIComponent(server.socketPath)}`,
    );
    assertEquals(await values(storage, [scope("right")]), [1]);
  });

  await t.step("waits for the lock of another program, and readers do not", async () => {
    await using storage = open(server.url);
    const session = new Session(storage);
    await session.put(scope("locked"), 1);
    const other = await connectMysql(configOf(server.url), new AbortController().signal);
    const lock = "SELECT k FROM mp_records WHERE k = 'shop:scope:locked' FOR UPDATE";
    await other.query(`START TRANSACTION; ${lock}`, undefined);
    let written = false;
    const writing = session.put(scope("locked"), 2).then(() => written = true);
    for (const _ of range(20)) assertEquals(await values(storage, [scope("locked")]), [1]);
    assertEquals(written, false);
    await other.query("COMMIT; DO 0", undefined);
    await writing;
    assertEquals(await values(storage, [scope("locked")]), [2]);
    await other.end();
  });

  await t.step("says that a commit whose reply is lost may have been carried out", async () => {
    await using proxy = await startProxy(server);
    const url = server.url.replace(`:${server.port}/`, `:${proxy.port}/`);
    await using storage = open(`${url}?timeout=2000`);
    const session = new Session(storage);
    await session.put(scope("a"), 1);
    const commit = session.next([], [put(scope("a"), 2)]);
    const ways = [() => proxy.cut(), (abort: () => void) => abort(), () => {}];
    for (const way of ways) {
      // a connection that is open, so that it is the commit's reply that is held back
      assertEquals(await storage.read([]), []);
      const controller = new AbortController();
      proxy.holdReplies(true);
      const lost = faultOf(() => session.send(commit, controller.signal));
      await proxy.replyHeld();
      way(() => controller.abort());
      assertEquals((await lost).reason, "reply_lost");
      proxy.holdReplies(false);
    }
    await using other = open(server.url);
    assertEquals(await values(other, [scope("a")]), [2]);
    await new Session(other).put(scope("a"), 3);
    assertEquals(await session.send(commit), DONE);
    assertEquals(await values(storage, [scope("a")]), [3]);
  });

  await t.step("finds a server that was away when it is back", async () => {
    await using proxy = await startProxy(server);
    await using storage = open(server.url.replace(`:${server.port}/`, `:${proxy.port}/`));
    proxy.refuse(true);
    const signal = AbortSignal.timeout(2_000);
    const fault = await faultOf(() => storage.read([], { signal }));
    assertEquals([fault.code, fault.reason], ["storage_unavailable", "unreachable"]);
    proxy.refuse(false);
    assertEquals(await storage.read([]), []);
    // connections that died while nobody used them are found out
    proxy.cut();
    const state = await read(storage, scope("a")).catch(() => read(storage, scope("a")));
    assertEquals(state.value, "3");
  });
});

testWith(
  [needs, needsProgram("openssl", "apt-get install openssl")],
  "mysqlStorage() encrypts, and asks who it is that answers",
  async () => {
    await using files = await makeCertificate();
    await using server = await startMysql({
      "ssl-cert": files.certificate,
      "ssl-key": files.key,
      "require-secure-transport": "on",
    });
    await using verified = open(`${server.url}?tls=true`);
    assertEquals((await faultOf(() => verified.read([]))).reason, "unreachable");
    await using plain = open(server.url);
    assertEquals((await faultOf(() => plain.read([]))).code, "storage_unavailable");
    await using encrypted = open(`${server.url}?tls=no-verify`);
    await new Session(encrypted).put(scope("a"), 1);
    assertEquals(await values(encrypted, [scope("a")]), [1]);
  },
);
