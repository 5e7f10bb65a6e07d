import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { needsProgram, testWith } from "../support/needs.ts";
import { mpSandbox } from "../support/mp.ts";
import { startRedis } from "../support/servers/redis_server.ts";
import type { Reply } from "./callers.ts";
import { APP, launch } from "./launched.ts";

const needsRedis = needsProgram("redis-server", "apt-get install redis-server");

/** Calls a service once, with a key. */
async function callWith(
  key: string,
  url: string,
  service: string,
  ...params: unknown[]
): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: service, params }),
  });
  return await response.json();
}

Deno.test("mp run carries out a call once that is made again with its key, though replicas are killed", async () => {
  await using shop = await launch(`
    mp.service("count", mp.spread({
      replicas: 3,
      expose: true,
      target: async (name: string, { replica }: mp.Context) => {
        mp.scope.global.names = [...(mp.scope.global.names ?? []), name];
        // others come in between
        await new Promise((resolve) => setTimeout(resolve, 1));
        return mp.scope.global.names.length;
      },
    }));
  `);
  const killed = new AbortController();
  const kill = async () => {
    while (!killed.signal.aborted) {
      for (const { path, pid, state } of await shop.replicas()) {
        if (path === "count.compute" && state === "ready" && !killed.signal.aborted) {
          Deno.kill(pid!, "SIGKILL");
          break;
        }
      }
    }
  };
  const replies = new Map<string, number>();
  let failures = 0;
  const caller = async (name: string) => {
    for (const i of [1, 2, 3, 4, 5]) {
      const key = `${name} ${i}`;
      for (;;) {
        const { result, error } = await callWith(key, shop.url, "count", key);
        if (error === undefined) {
          replies.set(key, result as number);
          break;
        }
        failures++;
        // nothing else may go wrong when a replica is killed
        assertMatch(
          error.data!.code,
          /^(replica_unreachable|scope_conflict|commit_unknown|overloaded|deadline_exceeded)$/,
        );
      }
    }
  };
  const killing = kill();
  await Promise.all(Array.from({ length: 8 }, (_, i) => caller(`caller ${i}`)));
  killed.abort();
  await killing;
  const again = new Map<string, number>();
  for (const key of replies.keys()) {
    again.set(key, (await callWith(key, shop.url, "count", key)).result as number);
  }
  assertEquals(again, replies);
  const { stdout } = await shop.sandbox.run(["scope", "get", "global", "--app", APP]);
  const { names } = JSON.parse(stdout) as { names: string[] };
  assertEquals(names.toSorted(), [...replies.keys()].sort(), `after ${failures} failures`);
  for (const [key, place] of replies) assertEquals(names[place - 1], key);
});

Deno.test("mp client makes a call once with --idempotency-key", async () => {
  await using shop = await launch(`
    const stock = mp.service("stock", (n: number) => {
      mp.scope.global.n = (mp.scope.global.n ?? 10) - n;
      return mp.scope.global.n as number;
    });
    mp.service("buy", async (n: number, { idempotencyKey }: mp.Context) => {
      return [idempotencyKey ?? null, await stock.call(n, idempotencyKey ? { idempotencyKey } : {})];
    }, { expose: true });
  `);
  const buy = async (...args: string[]) => {
    const { code, stdout, stderr } = await shop.sandbox.run(["client", "buy", ...args]);
    return code === 0 ? JSON.parse(stdout) : stderr;
  };
  assertEquals(await buy("3", "--idempotency-key", "a"), ["a", 7]);
  assertEquals(await buy("3", "--idempotency-key", "a"), ["a", 7]);
  assertEquals(await buy("3"), [null, 4]);
  assertStringIncludes(
    await buy("4", "--idempotency-key", "a"),
    'another request had the idempotency key "a"',
  );
  for (const key of ["", "k".repeat(256), "é"]) {
    assertStringIncludes(await buy("3", "--idempotency-key", key), "--idempotency-key");
  }
  assertEquals(await buy("1"), [null, 3]);
});

Deno.test("mp run refuses effects within a transaction, and scopes after an effect", async () => {
  await using shop = await launch(`
    import { writeFileSync } from "node:fs";
    import { readFile, writeFile } from "node:fs/promises";
    import http from "node:http";
    mp.service("node", () => mp.scoped("a", () => writeFileSync("never.txt", "")), {
      expose: true,
    });
    mp.service("promised", async () => {
      mp.scope.a.n = 1;
      await writeFile("never.txt", "");
    }, { expose: true });
    mp.service("http", () => mp.scoped("a", () => void http.get("http://127.0.0.1:1")), {
      expose: true,
    });
    mp.service("reads", () => mp.scoped("a", async (a) => {
      a.text = (await readFile(import.meta.filename, "utf8")).slice(0, 6);
      return a.text;
    }), { expose: true });
    mp.service("inside", () => mp.scoped("a", async (a) => {
      a.n = 1;
      await fetch("data:,text");
    }), { expose: true });
    mp.service("implicit", async () => {
      mp.scope.a.n = 1;
      await Deno.writeTextFile("never.txt", "");
    }, { expose: true });
    mp.service("after", async () => {
      const text = await (await fetch("data:,text")).text();
      mp.scope.a.text = text;
    }, { expose: true });
    mp.service("explicit", async () => {
      const text = await (await fetch("data:,text")).text();
      await mp.scoped("a", (a) => void (a.text = text));
      await Deno.writeTextFile("written.txt", text);
      return await mp.scoped("a", (a) => ({ ...a }));
    }, { expose: true });
    const late: (() => unknown)[] = [];
    mp.service("late", (tries: boolean) => {
      if (!tries) {
        const { a } = mp.scope;
        late.push(() => a.n = 2);
        late.push(() => mp.scope.a.n = 2);
        return;
      }
      // the handler may have run more than once
      return late.slice(0, 2).map((use) => {
        try {
          return use();
        } catch (error) {
          return (error as mp.MpError).code;
        }
      });
    }, { expose: true });
  `);
  const messages = {
    inside: "Cannot make a call of fetch(): it is made within a transaction",
    implicit: "Cannot make a call of Deno.writeTextFile(): it is made within a transaction",
    after: "Cannot use mp.scope.a: a call of fetch() came before",
    node: "Cannot make a call of fs.writeFileSync(): it is made within a transaction",
    promised: "Cannot make a call of fs.promises.writeFile(): it is made within a transaction",
    http: "Cannot make a call of http.get(): it is made within a transaction",
  };
  for (const [service, message] of Object.entries(messages)) {
    const { error } = await shop.reply(service);
    assertEquals(error?.data?.code, "scope_after_effect");
    assertStringIncludes(error!.message, message);
  }
  assertEquals((await shop.reply("explicit")).result, { text: "text" });
  const files = Array.from(Deno.readDirSync(shop.sandbox.folder), ({ name }) => name);
  assert(files.includes("written.txt") && !files.includes("never.txt"));
  await shop.reply("late", false);
  // the first belongs to a transaction that is over; the second to the call that uses it
  assertEquals((await shop.reply("late", true)).result, ["scope_after_effect", 2]);
});

Deno.test("mp ps and mp scope know where a running app keeps its scopes", async () => {
  await using shop = await launch(`
    mp.setStorage("file", { directory: "own" });
    mp.service("count", () => {
      mp.scope.global.n = (mp.scope.global.n ?? 0) + 1;
      return mp.scope.global.n as number;
    }, { expose: true });
  `);
  assertEquals((await shop.reply("count")).result, 1);
  const { run, folder } = shop.sandbox;
  const ps = await run(["ps"]);
  assertMatch(ps.stdout, /STORAGE/);
  assertMatch(ps.stdout, /\bfile\b/);
  const [{ storage }] = JSON.parse((await run(["ps", APP, "--json"])).stdout);
  assertEquals(storage, { name: "file", address: join(folder, "own", "data.db") });
  // whatever the environment says here
  const env = { MP_STORAGE: `file:${join(folder, "other.db")}` };
  assertEquals(JSON.parse((await run(["scope", "get", "global", "--app", APP], { env })).stdout), {
    n: 1,
  });
  assertEquals((await run(["scope", "set", "global", '{"n": 40}', "--app", APP], { env })).code, 0);
  assertEquals((await shop.reply("count")).result, 41);
  const other = await run(["scope", "get", "global", "--app", APP, "--storage", env.MP_STORAGE]);
  assertEquals(other.code, 1);
});

Deno.test("mp run keeps apps apart, unless they name the same namespace", async () => {
  await using sandbox = await mpSandbox();
  const count = async (app: string, config: string) => {
    const script = await sandbox.write(
      `${app}.ts`,
      `import * as mp from "@metaparticle/mp";
       mp.setStorage("file", ${config});
       console.log(await mp.scoped("global", (it) => it.n = (it.n ?? 0) + 1));`,
    );
    const { code, stdout, stderr } = await sandbox.run(["run", script]);
    assertEquals(code, 0, stderr);
    return stdout.trim();
  };
  const own = `{ path: "data.db" }`;
  const common = `{ path: "data.db", namespace: "shops" }`;
  assertEquals([await count("tea", own), await count("coffee", own)], ["1", "1"]);
  assertEquals([await count("tea", common), await count("coffee", common)], ["1", "2"]);
  const url = `file:${join(sandbox.folder, "data.db")}?namespace=shops`;
  const { stdout } = await sandbox.run([
    "scope",
    "get",
    "global",
    "--app",
    "tea.ts",
    "--storage",
    url,
  ]);
  assertEquals(JSON.parse(stdout), { n: 2 });
});

Deno.test("mp scope looks into any storage, for an app that never ran here", async () => {
  await using sandbox = await mpSandbox();
  const scope = (...args: string[]) =>
    sandbox.run(["scope", ...args, "--app", "shop", "--storage", "file:data.db", "--json"]);
  assertEquals((await scope("set", "cart", '{"n": 1}')).code, 0);
  const { version, document } = JSON.parse((await scope("get", "cart")).stdout);
  assertEquals(document, { n: 1 });
  assertEquals((await scope("set", "cart", '{"n": 2}', "--if-version", version)).code, 0);
  const late = await scope("set", "cart", '{"n": 3}', "--if-version", version);
  assertEquals(late.code, 1);
  assertStringIncludes(late.stderr, "scope_conflict");
  assertEquals(JSON.parse((await scope("list")).stdout).document, { n: 2 });
  assertEquals((await scope("delete", "cart")).code, 0);
  assertEquals((await scope("list")).stdout, "");
});

Deno.test("mp scope refuses what is no document, and prints no control characters of names", async () => {
  await using sandbox = await mpSandbox();
  const scope = (...args: string[]) =>
    sandbox.run(["scope", ...args, "--app", "shop", "--storage", "file:data.db"]);
  const cases: [document: string, message: string][] = [
    ["{n", "Cannot read the document: "],
    ["[1]", 'Cannot set cart: a scope is an object, such as {"count": 1}'],
    ['{"n": [1e400]}', "Cannot set cart: .n[0] (Infinity) is not JSON"],
  ];
  for (const [document, message] of cases) {
    const { code, stderr } = await scope("set", "cart", document);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  }
  assertEquals((await scope("set", "a\n\x1b[2J", '{"n": 1}')).code, 0);
  const { stdout } = await scope("list");
  assertEquals(stdout.trim().split("\n").length, 2);
  assertStringIncludes(stdout, "a\\u000a\\u001b[2J");
});

Deno.test("mp scope makes no file where it only looks", async () => {
  await using sandbox = await mpSandbox();
  const storage = ["--app", "shop", "--storage", "file:none/data.db"];
  const { code, stderr } = await sandbox.run(["scope", "list", ...storage]);
  assertEquals([code, stderr], [0, "No scope has a document\n"]);
  assertEquals((await sandbox.run(["scope", "get", "cart", ...storage])).code, 1);
  assertEquals((await sandbox.run(["scope", "delete", "cart", ...storage])).code, 1);
  await assertRejects(() => Deno.stat(join(sandbox.folder, "none")), Deno.errors.NotFound);
  const folder = await sandbox.run(["scope", "list", "--app", "shop", "--storage", "file:."]);
  assertStringIncludes(folder.stderr, "it is a folder");
  assertEquals((await sandbox.run(["scope", "set", "cart", "{}", ...storage])).code, 0);
  assertEquals((await sandbox.run(["scope", "get", "cart", ...storage])).stdout, "{}\n");
});

Deno.test("mp scope takes no name with --user, and nothing that it has no use for", async () => {
  await using sandbox = await mpSandbox();
  const scope = (...args: string[]) =>
    sandbox.run(["scope", ...args, "--app", "shop", "--storage", "file:data.db"]);
  assertEquals((await scope("set", "cart", "{}")).code, 0);
  assertEquals((await scope("set", "--user", "ada", '{"n": 1}')).code, 0);
  assertEquals((await scope("get", "--user", "ada")).stdout, '{"n":1}\n');
  // it would delete another scope than the one that is named
  for (
    const args of [
      ["delete", "cart", "--user", "ada"],
      ["get", "cart", "--user", "ada"],
      ["set", "cart", "{}", "--user", "ada"],
      ["list", "other"],
      ["get", "cart", "shop"],
    ]
  ) {
    const { code, stderr } = await scope(...args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(stderr, "is one too many");
  }
  assertEquals((await scope("delete", "--user", "ada")).code, 0);
  assertEquals((await scope("get", "cart")).stdout, "{}\n");
  const { stdout } = await sandbox.run(["scope", "list", "shop", "--storage", "file:data.db"]);
  assertStringIncludes(stdout, "cart");
});

Deno.test("mp scope says how to name the app when there are several", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write(
    "one.ts",
    `import * as mp from "@metaparticle/mp";\nmp.service("one", () => 1, { expose: true });\nmp.serve();\n`,
  );
  for (const app of ["a", "b"]) {
    const { code, stderr } = await sandbox.run([
      "run",
      "one.ts",
      "-d",
      "--port",
      "0",
      "--name",
      app,
    ]);
    assertEquals(code, 0, stderr);
  }
  const { code, stderr } = await sandbox.run(["scope", "list"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Add --app, one of a, b");
  for (const app of ["a", "b"]) assertEquals((await sandbox.run(["delete", app])).code, 0);
});

Deno.test("mp scope says that it cannot see what is in the memory of replicas", async () => {
  await using shop = await launch(
    `mp.service("count", () => mp.scope.global.n = 1, { expose: true });`,
    { args: ["--storage", "memory"] },
  );
  const { code, stderr } = await shop.sandbox.run(["scope", "list", "--app", APP]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "they are in the memory of each replica");
});

testWith(needsRedis, "mp run and mp doctor warn once of a redis that loses data", async () => {
  await using server = await startRedis({
    appendfsync: "everysec",
    "maxmemory-policy": "allkeys-lru",
    requirepass: "hidden",
  });
  const url = `redis://:hidden@127.0.0.1:${server.port}`;
  const warnings = [
    "Redis may drop scopes when its memory is full (maxmemory-policy allkeys-lru); set it to noeviction",
    "Redis can lose the last commits when it dies (appendfsync everysec); set appendfsync always",
  ];
  {
    await using shop = await launch(
      `mp.service("count", mp.spread(3, () => mp.scope.global.n = 1), { expose: true });`,
      { args: ["--storage", url] },
    );
    for (const warning of warnings) await shop.told(({ message }) => message === warning);
    for (let i = 0; i < 10; i++) assertEquals((await shop.reply("count")).result, 1);
    const { stdout, stderr } = await shop.stop();
    for (const warning of warnings) {
      assertEquals(`${stdout}${stderr}`.split(warning).length - 1, 1);
    }
  }
  await using sandbox = await mpSandbox();
  const { stdout } = await sandbox.run(["doctor", "--storage", url]);
  for (const warning of warnings) assertStringIncludes(stdout, warning);
  assert(!stdout.includes("hidden"));
  // in the background, and of a program
  const script = await sandbox.write(
    "shop.ts",
    `import * as mp from "@metaparticle/mp";
     mp.service("count", () => mp.scope.global.n as number, { expose: true });`,
  );
  const program = await sandbox.write(
    "program.ts",
    `import * as mp from "@metaparticle/mp";
     console.log(await mp.scoped("global", ({ n }) => n ?? "none"));
     mp.shutdown();`,
  );
  const env = { REDIS_URL: url };
  const detached = await sandbox.run(["run", "-d", "--port", "0", script], { env });
  assertEquals(detached.code, 0, detached.stderr);
  const ran = await sandbox.run(["run", program], { env });
  assertEquals([ran.code, ran.stdout], [0, "none\n"], ran.stderr);
  for (const warning of warnings) {
    assertStringIncludes(detached.stderr, warning);
    assertStringIncludes(ran.stderr, warning);
  }
  assertEquals((await sandbox.run(["delete", "shop"])).code, 0);
});

testWith(
  needsRedis,
  "mp run says that a storage is away, and goes on when it is there",
  async () => {
    await using server = await startRedis();
    await server.kill();
    await using shop = await launch(
      `mp.service("count", () => (mp.scope.global.n = (mp.scope.global.n ?? 0) + 1), { expose: true });`,
      { args: ["--storage", server.url] },
    );
    const { message } = await shop.told(({ event }) => event === "warning");
    assertStringIncludes(message!, `Cannot reach redis at 127.0.0.1:${server.port}`);
    const reply = shop.reply("count");
    await server.start();
    assertEquals((await reply).result, 1);
  },
);
