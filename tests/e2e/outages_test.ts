// A storage that is away when a script starts, and one that goes away later.
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { needsProgram, needsSystem, testWith } from "../support/needs.ts";
import { startMysql } from "../support/servers/mysql_server.ts";
import { startRedis } from "../support/servers/redis_server.ts";
import type { TestServer } from "../support/servers/test_server.ts";
import { Caller } from "./faults/caller.ts";
import { launch } from "./launched.ts";

const SERVERS: Readonly<
  Record<
    string,
    readonly [program: string, from: string, start: () => Promise<TestServer & { url: string }>]
  >
> = {
  redis: ["redis-server", "apt-get install redis-server", startRedis],
  mysql: ["mariadbd", "apt-get install mariadb-server", startMysql],
};

const counter = `
const count = () => {
  console.log("begun");
  return mp.scoped("global", (scope) => scope.count = (scope.count ?? 0) + 1).catch((error) => {
    console.log("ended by", error.code);
    throw error;
  });
};
const look = () => mp.scoped("global", ({ count }) => count ?? 0);
mp.service("count", mp.spread({ replicas: 2, target: count, expose: true }));
mp.service("look", mp.spread({ replicas: 2, target: look, expose: true }));
`;
/** How long calls may take that are to fail: a fifth is for the reason to arrive. In milliseconds. */
const SHORT = 4_000;
const LONG = 60_000;
/** How calls may fail that write while there is no storage. */
const WITHOUT_STORAGE: readonly unknown[] = ["storage_unavailable", "commit_unknown"];
/** How long a machine that is busy with something else may take to answer after a deadline, in milliseconds. */
const SLACK = 10_000;

/**
 * How long a caller stays at least, in milliseconds. Deno 2.6, on which the executable rests, tells nothing of one that
 * has left before it is looked after, which is done when its call has taken 50 ms.
 */
const STAY = Deno.env.get("MP_TEST_EXECUTABLE") ? 1_000 : 0;

interface Readiness {
  readonly status: number;
  readonly missing: readonly string[];
}

async function readiness(url: string): Promise<Readiness> {
  const response = await fetch(`${url}/readyz`);
  const { missing } = await response.json();
  return { status: response.status, missing };
}

/** Asks until the answer is as wanted. */
async function untilReadiness(url: string, status: number): Promise<Readiness> {
  for (const end = performance.now() + 60_000;;) {
    const now = await readiness(url);
    if (now.status === status) return now;
    assert(performance.now() < end, `/readyz says ${JSON.stringify(now)}`);
    // asking is work for all replicas, which have other things to do
    await delay(50);
  }
}

/** Calls with a deadline, and sees to it that it is kept. @returns The code of the error, or the result. */
async function callWithin(url: string, service: string, timeout: number): Promise<unknown> {
  using caller = new Caller(url, service);
  const began = performance.now();
  const ended = await caller.call(null, { timeout });
  assertLess(performance.now() - began, timeout + SLACK);
  return ended.kind === "answered" ? ended.result : "code" in ended ? ended.code : ended.message;
}

for (const [storage, [program, from, start]] of Object.entries(SERVERS)) {
  const needs = [needsSystem("linux", "darwin"), needsProgram(program, from)];
  const missing = [`storage ${storage}`];

  testWith(needs, `a script starts while ${storage} is away, and works when it comes`, async () => {
    await using server = await start();
    await server.kill();
    await using launched = await launch(counter, { args: ["--storage", server.url] });
    const { url } = launched;
    // nobody has used a scope yet
    assertEquals(await readiness(url), { status: 503, missing });
    const codes = await Promise.all(
      ["count", "look"].map((service) => callWithin(url, service, SHORT)),
    );
    assertEquals(codes, ["storage_unavailable", "storage_unavailable"]);
    const waiting = [callWithin(url, "count", LONG), callWithin(url, "count", LONG)];
    await server.start();
    assertEquals((await Promise.all(waiting)).sort(), [1, 2]);
    assertEquals(await untilReadiness(url, 200), { status: 200, missing: [] });
    assertEquals(await callWithin(url, "look", LONG), 2);
  });

  testWith(needs, `calls fail in time or succeed later while ${storage} is away`, async () => {
    await using server = await start();
    await using launched = await launch(counter, { args: ["--storage", server.url] });
    const { url } = launched;
    assertEquals(await callWithin(url, "count", LONG), 1);
    assertEquals(await untilReadiness(url, 200), { status: 200, missing: [] });
    await server.kill();
    assertEquals((await untilReadiness(url, 503)).missing, missing);
    const [look, ...counts] = await Promise.all([
      callWithin(url, "look", SHORT),
      ...Array.from({ length: 10 }, () => callWithin(url, "count", SHORT)),
    ]);
    assertEquals(look, "storage_unavailable");
    // a connection of which nobody knew yet that it is dead may have taken one
    assertEquals(counts.filter((code) => !WITHOUT_STORAGE.includes(code)), []);
    const waiting = Array.from({ length: 10 }, () => callWithin(url, "count", LONG));
    await server.start();
    // the server was dead, so none of those that failed was carried out
    const later = (await Promise.all(waiting) as number[]).sort((a, b) => a - b);
    assertEquals(later, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assertEquals(await untilReadiness(url, 200), { status: 200, missing: [] });
  });

  const name = `a call that waits for ${storage} ends when its caller goes away`;
  testWith(needs, name, async () => {
    await using server = await start();
    await using launched = await launch(counter, { args: ["--storage", server.url] });
    const { url, program } = launched;
    assertEquals(await callWithin(url, "count", LONG), 1);
    server.signal("SIGSTOP");
    const from = program.lines.length;
    const leaving = new AbortController();
    const left = fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-timeout-ms": "600000" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "count" }),
      signal: leaving.signal,
    });
    const gone = assertRejects(() => left, DOMException);
    try {
      await launched.told(({ text }) => text === "begun", from);
      await delay(STAY);
      leaving.abort();
      await gone;
      // long before its deadline
      const ended = await launched.told(({ text }) => text?.startsWith("ended by") === true, from);
      assert(/ended by (cancelled|commit_unknown)/.test(ended.text!), ended.text);
    } finally {
      server.signal("SIGCONT");
    }
    const after = await callWithin(url, "count", LONG);
    assert(after === 2 || after === 3, `${after}`);
  });

  testWith(needs, `nothing hangs while ${storage} is stuck`, async () => {
    await using server = await start();
    await using launched = await launch(counter, { args: ["--storage", server.url] });
    const { url } = launched;
    assertEquals(await callWithin(url, "count", LONG), 1);
    assertEquals(await callWithin(url, "look", LONG), 1);
    server.signal("SIGSTOP");
    try {
      assertEquals((await untilReadiness(url, 503)).missing, missing);
      const [look, count] = await Promise.all(
        ["look", "count"].map((service) => callWithin(url, service, SHORT)),
      );
      // reading has changed nothing, whatever became of the question
      assertEquals(look, "storage_unavailable");
      assert(WITHOUT_STORAGE.includes(count), `${count}`);
    } finally {
      server.signal("SIGCONT");
    }
    assertEquals(await untilReadiness(url, 200), { status: 200, missing: [] });
    const before = await callWithin(url, "look", LONG) as number;
    assert(before === 1 || before === 2, `${before}`);
    assertEquals(await callWithin(url, "count", LONG), before + 1);
  });
}
