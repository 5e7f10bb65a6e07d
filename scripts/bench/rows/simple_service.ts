import { load } from "../load.ts";
import { ROOT, runBaseline, runTopology } from "../processes.ts";
import type { Row } from "../row.ts";

/** Requests per second of one handler. */
export const simpleService: Row = {
  name: "simple",
  title: "simple service, 32 connections",
  unit: "requests/s",
  against: "Hono with req.json()",
  target: 0.9,
  better: "more",
  async prepare() {
    const stack = new AsyncDisposableStack();
    const ours = stack.use(await runTopology(`${ROOT}scripts/bench/topologies/echo.ts`));
    const hono = stack.use(await runBaseline("hono_echo"));
    const bare = stack.use(await runBaseline("bare_echo"));
    const side = (name: string, { url }: { url: string }) => ({
      name,
      measure: async () => (await load({ url, method: "echo", connections: 32 })).requestsPerSecond,
    });
    const sides = [side("mp", ours), side("Hono", hono), side("bare Deno.serve", bare)];
    for (const { measure } of sides) await measure();
    return { sides, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  },
};
