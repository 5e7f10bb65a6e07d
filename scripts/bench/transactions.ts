/**
 * Callers of scopes in replicas, and the same work done by hand.
 *
 * @module
 */

import { ROOT, type Served } from "./processes.ts";
import type { Prepared, Side } from "./row.ts";

/** The topology whose replicas have the callers. */
export const TRANSACTIONS = `${ROOT}scripts/bench/topologies/transactions.ts`;
/** How many callers a replica has. */
export const CALLERS = 64;
/** How many scopes are many. */
export const MANY = 500;

const SECONDS = 3;

/** What callers in one replica did. */
export interface Done {
  readonly commits: number;
  readonly latencies: readonly number[];
}

/** Calls a service of the topology. */
export async function ask<T>({ url }: Served, method: string, ...params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json", "x-timeout-ms": "120000" };
  const { result, error } = await (await fetch(url, { method: "POST", headers, body })).json();
  if (error !== undefined) throw new Error(`mp failed: ${JSON.stringify(error)}`);
  return result;
}

/** Has callers in replicas change scopes for a while. */
export async function transact(served: Served, service: string, load: object): Promise<Done[]> {
  return await ask<Done[]>(served, service, { seconds: SECONDS, ...load });
}

/** Commits per second. */
export const rateOf = (all: readonly Done[]) =>
  all.reduce((sum, { commits }) => sum + commits, 0) / SECONDS;

/** Commits per second of baselines that work at the same time. */
export function byHand(name: string, all: readonly Served[]): Side {
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

/** A row that has been measured once, and forgotten. */
export async function warmedUp(
  stack: AsyncDisposableStack,
  prepared: Omit<Prepared, keyof AsyncDisposable>,
) {
  for (const { measure } of prepared.sides) await measure();
  return { ...prepared, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** One caller of many scopes. */
export function oneCaller(ours: Served): Side {
  return {
    name: "mp",
    measure: async () => rateOf(await transact(ours, "one", { callers: 1, scopes: MANY })),
  };
}
