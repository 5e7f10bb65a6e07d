/**
 * Callers from outside of a deployment, one or many at once.
 *
 * @module
 */

import jayson from "jayson";

/** A reply to a JSON-RPC call. */
export interface Reply {
  // deno-lint-ignore no-explicit-any -- a service answers with anything
  readonly result?: any;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: {
      readonly code: string;
      readonly service?: string;
      readonly replica?: string;
      readonly reason?: string;
    };
  };
}

/** Calls a service once. */
export type Caller = (service: string, ...params: unknown[]) => Promise<Reply>;

/** Calls over connections that are kept open. */
export async function ask(url: string, method: string, ...params: unknown[]): Promise<Reply> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  return await (await fetch(url, { method: "POST", headers, body })).json();
}

/** Calls as the original's client did: over a connection for each call. */
export function jaysonCaller(url: string): Caller {
  const client = jayson.Client.http({ port: Number(new URL(url).port), agent: false });
  return (service, ...params) =>
    new Promise((resolve, reject) => {
      client.request(service, params, (error?: unknown, reply?: Reply) => {
        if (error) reject(error);
        else resolve(reply!);
      });
    });
}

/** What became of one call. */
export interface Call {
  readonly caller: number;
  readonly reply: Reply;
  /** How long it took, in milliseconds. */
  readonly took: number;
}

/**
 * Has callers call again and again, as long as `work` takes and for one call more.
 *
 * @param callers What each does for one call.
 * @returns All calls, in the order of their ends.
 * @throws What a caller throws, for then it had no reply at all.
 */
export async function storm(
  callers: readonly (() => Promise<Reply>)[],
  work: () => Promise<void>,
): Promise<Call[]> {
  const calls: Call[] = [];
  let going = true;
  const all = Promise.all(callers.map(async (call, caller) => {
    for (let last = false; !last;) {
      last = !going;
      const started = performance.now();
      const reply = await call();
      calls.push({ caller, reply, took: performance.now() - started });
    }
  }));
  all.catch(() => going = false);
  try {
    await work();
  } finally {
    going = false;
    await all;
  }
  return calls;
}
