import { startMysql } from "../../../tests/support/servers/mysql_server.ts";
import { runBaseline, runTopology } from "../processes.ts";
import type { Row } from "../row.ts";
import { byHand, MANY, oneCaller, TRANSACTIONS, warmedUp } from "../transactions.ts";
import { farScopesInRedis } from "./far_scopes_redis.ts";

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
    const ours = stack.use(await runTopology(TRANSACTIONS, ["--storage", url]));
    const theirs = stack.use(await runBaseline("mysql_load", [url, "1", `${MANY}`]));
    return await warmedUp(stack, { sides: [oneCaller(ours), byHand("raw client", [theirs])] });
  },
};
