import { startMysql } from "../../../tests/support/servers/mysql_server.ts";
import { startRedis } from "../../../tests/support/servers/redis_server.ts";
import { ROOT, runBaseline, runTopology, type Served } from "../processes.ts";
import type { Prepared, Row, Side } from "../row.ts";

const SCRIPT = `${ROOT}scripts/bench/topologies/transactions.ts`;
const SECONDS = 3;
const REPLICAS = 4;
const CALLERS = 64;
/** How many scopes are many. */
const MANY = 500;

/** What callers in one replica did. */
interface Done {
  readonly commits: number;
  readonly latencies: readonly number[];
}

async function ask<T>({ url }: Served, method: string, ...params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json", "x-timeout-ms": "120000" };
  const { result, error } = await (await fetch(url, { method: "POST", headers, body })).json();
  if (error !== undefined) throw new Error(`mp failed: ${JSON.stringify(error)}`);
  return result;
}

/** Commits per second of callers in replicas. */
async function transact(served: Served, service: string, load: object): Promise<Done[]> {
  return await ask<Done[]>(served, service, { seconds: SECONDS, ...load });
}

const rateOf = (all: readonly Done[]) =>
  all.reduce((sum, { commits }) => sum + commits, 0) / SECONDS;

/** Commits per second of baselines that work at the same time. */
function byHand(name: string, all: readonly Served[]): Side {
  return {
    name,
    async measure() {
      const answers = await Promise.all(
        all.map(async ({ url }) => await (await fetch(`${url}/?seconds=${SECONDS}`)).json()),
      ) as number[];
      return answers.reduce((sum, done) => sum + done, 0) / SECONDS;
    },
  };
}

async function warmedUp(
  stack: AsyncDisposableStack,
  prepared: Omit<Prepared, keyof AsyncDisposable>,
) {
  for (const { measure } of prepared.sides) await measure();
  return { ...prepared, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** One scope that callers in four replicas change. */
export const hotScope: Row = {
  name: "hot-scope",
  title: "one hot scope, 4 replicas × 64 callers (redis)",
  unit: "commits/s",
  against: "one Lua increment a call",
  target: 0.3,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await startRedis());
    const ours = stack.use(await runTopology(SCRIPT, ["--storage", server.url]));
    const baseline = (how: string) =>
      Promise.all(Array.from({ length: REPLICAS }, async () => {
        const args = [how, String(server.port), String(CALLERS), "1"];
        return stack.use(await runBaseline("redis_load", args));
      }));
    const [increment, watch] = [await baseline("increment"), await baseline("watch")];
    let sum = await ask<number>(ours, "sum", 1);
    const shares: number[] = [];
    const latencies: number[] = [];
    const mp: Side = {
      name: "mp",
      async measure() {
        const all = await transact(ours, "four", { callers: CALLERS, scopes: 1 });
        const commits = all.reduce((sum, { commits }) => sum + commits, 0);
        const after = await ask<number>(ours, "sum", 1);
        if (after !== sum + commits) throw new Error(`${after - sum} counted, ${commits} done`);
        sum = after;
        shares.push(Math.min(...all.map((one) => one.commits)) / commits * REPLICAS);
        latencies.push(percentile(all.flatMap((one) => one.latencies), 0.99));
        return rateOf(all);
      },
    };
    return await warmedUp(stack, {
      sides: [mp, byHand("Lua increment", increment), byHand("WATCH and MULTI", watch)],
      notes: () => [
        "mp: the count is exact in each round",
        `mp: least share of a replica ${list(shares)} of a fair one, to be at least 0.5`,
        `mp: 99 of 100 within ${list(latencies)} ms, to be less than 100`,
      ],
    });
  },
};

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;
}

const list = (values: readonly number[]) =>
  // the first round warms up
  values.slice(1).map((value) => value.toFixed(2)).join(", ");

/**
 * Many scopes that one caller changes, a millisecond away from the server. What counts is round trips, so the servers
 * do not wait for their disk.
 */
export const farScopesInRedis: Row = {
  name: "far-scopes-redis",
  title: "many scopes, one caller, 1 ms injected round trip (redis)",
  unit: "commits/s",
  against: "read, then conditional write",
  target: 1.7,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await startRedis({ appendfsync: "everysec" }));
    const network = stack.use(await runBaseline("slow_network", [String(server.port)]));
    const { port } = new URL(network.url);
    const ours = stack.use(
      await runTopology(SCRIPT, ["--storage", `redis://127.0.0.1:${port}/0`]),
    );
    const theirs = stack.use(
      await runBaseline("redis_load", ["conditional", port, "1", `${MANY}`]),
    );
    return await warmedUp(stack, { sides: [oneCaller(ours), byHand("raw client", [theirs])] });
  },
};

/** The same in MySQL. */
export const farScopesInMysql: Row = {
  ...farScopesInRedis,
  name: "far-scopes-mysql",
  title: "many scopes, one caller, 1 ms injected round trip (mysql)",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await startMysql({ "innodb-flush-log-at-trx-commit": "2" }));
    const network = stack.use(await runBaseline("slow_network", [String(server.port)]));
    const url = server.url.replace(`:${server.port}`, `:${new URL(network.url).port}`);
    const ours = stack.use(await runTopology(SCRIPT, ["--storage", url]));
    const theirs = stack.use(await runBaseline("mysql_load", [url, "1", `${MANY}`]));
    return await warmedUp(stack, { sides: [oneCaller(ours), byHand("raw client", [theirs])] });
  },
};

function oneCaller(ours: Served): Side {
  return {
    name: "mp",
    measure: async () => rateOf(await transact(ours, "one", { callers: 1, scopes: MANY })),
  };
}

/** Many scopes in a file. */
export const scopesInFile: Row = {
  name: "scopes-file",
  title: "many scopes, 64 callers (file)",
  unit: "commits/s",
  against: "one SQLite transaction a commit, same durability",
  target: 5,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "mp-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const ours = stack.use(await runTopology(SCRIPT, ["--storage", `file:${folder}/mp.db`]));
    const theirs = stack.use(await runBaseline("sqlite_load", [`${folder}/raw.db`, `${MANY}`]));
    const mp: Side = {
      name: "mp",
      measure: async () => rateOf(await transact(ours, "one", { callers: CALLERS, scopes: MANY })),
    };
    return await warmedUp(stack, { sides: [mp, byHand("SQLite", [theirs])] });
  },
};

/** One scope in a file that many callers change, beside the store of the runtime. */
export const hotScopeInFile: Row = {
  name: "hot-scope-file",
  title: "one hot scope, 64 callers (file), beside Deno KV",
  unit: "commits/s",
  against: "Deno KV, atomic compare-and-set",
  target: 5,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "mp-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const ours = stack.use(await runTopology(SCRIPT, ["--storage", `file:${folder}/mp.db`]));
    const args = [`${folder}/kv.db`, `${CALLERS}`];
    const theirs = stack.use(await runBaseline("deno_kv_load", args));
    const mp: Side = {
      name: "mp",
      measure: async () => rateOf(await transact(ours, "one", { callers: CALLERS, scopes: 1 })),
    };
    return await warmedUp(stack, { sides: [mp, byHand("Deno KV", [theirs])] });
  },
};
