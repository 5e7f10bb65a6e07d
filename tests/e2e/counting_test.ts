// Scopes that many callers change at once, over several replicas, in each storage.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Need, needsProgram, needsSystem, testWith } from "../support/needs.ts";
import { startMysql } from "../support/servers/mysql_server.ts";
import { startRedis } from "../support/servers/redis_server.ts";
import { Caller, type Ended } from "./faults/caller.ts";
import { launch } from "./launched.ts";

/** As people wrote it for the original, which counted to 5. */
const counter = `
mp.service("count", mp.spread({
  replicas: 4,
  target: () => {
    const scope = mp.scope.global;
    if (!scope.count) scope.count = 0;
    scope.count++;
    return scope.count;
  },
  strategy: "round-robin",
  expose: true,
}));
mp.service("look", () => mp.scope.global.count, { expose: true });
`;

const CALLERS = 40;

/** A storage that a test has for itself. */
interface OwnStorage extends AsyncDisposable {
  readonly url: string;
}

const STORAGES: Readonly<Record<string, { needs: Need[]; open(): Promise<OwnStorage> }>> = {
  file: {
    needs: [],
    async open() {
      const folder = await Deno.makeTempDir({ prefix: "mp-scopes-" });
      return {
        url: `file:${folder}/data.db`,
        [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
      };
    },
  },
  redis: {
    needs: [needsProgram("redis-server", "apt-get install redis-server")],
    open: () => startRedis(),
  },
  mysql: {
    needs: [needsProgram("mariadbd", "apt-get install mariadb-server")],
    open: () => startMysql(),
  },
};

/** Calls so often, each call by a caller of its own, at once. */
function callAll(url: string, service: string, count: number): Promise<Ended[]> {
  return Promise.all(Array.from({ length: count }, async () => {
    using caller = new Caller(url, service);
    return await caller.call(null, { timeout: 60_000 });
  }));
}

const resultsOf = (ends: readonly Ended[]) =>
  ends.flatMap((end) => end.kind === "answered" ? [end.result as number] : []);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const inOrder = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

for (const [storage, { needs, open }] of Object.entries(STORAGES)) {
  testWith(
    needs,
    `${CALLERS} parallel callers of a counter in ${storage} count to exactly ${CALLERS}, over four replicas`,
    async () => {
      await using own = await open();
      await using launched = await launch(counter, { args: ["--storage", own.url] });
      const ends = await callAll(launched.url, "count", CALLERS);
      assertEquals(inOrder(resultsOf(ends)), upTo(CALLERS));
      assertEquals((await launched.reply("look")).result, CALLERS);
    },
  );

  testWith(
    [needsSystem("linux", "darwin"), ...needs],
    `callers of a counter in ${storage} lose no call that was answered when a replica is killed`,
    async () => {
      await using own = await open();
      await using launched = await launch(counter, { args: ["--storage", own.url] });
      const pid = await launched.pidOf("count.compute.2");
      const ends: Ended[] = [];
      let killed = false;
      const calling = Array.from({ length: CALLERS }, async (_, i) => {
        using caller = new Caller(launched.url, "count");
        for (let calls = 0; calls < 5; calls++) {
          ends.push(await caller.call(null, { timeout: 60_000 }));
          if (killed || i > 0 || calls === 0) continue;
          killed = true;
          Deno.kill(pid, "SIGKILL");
        }
      });
      await Promise.all(calling);
      const results = resultsOf(ends);
      const unknown = ends.filter(({ kind }) => kind === "unknown").length;
      assertEquals(ends.length, results.length + unknown, "some were refused");
      // each was counted at one moment, and told of it
      assertEquals(new Set(results).size, results.length);
      const { result: count } = await launched.reply("look");
      assert(count >= results.length, `${count} counted, ${results.length} answered`);
      assertLessOrEqual(count, results.length + unknown);
      assertLessOrEqual(Math.max(...results), count);
    },
  );
}
