/**
 * Load from a native generator: wrk, held on one core.
 *
 * @module
 */

import { ROOT } from "./processes.ts";

/** What a run of the generator measured. */
export interface Load {
  readonly requestsPerSecond: number;
  /** The median latency in milliseconds. */
  readonly latency: number;
}

/** Options of {@linkcode load}. */
export interface LoadOptions {
  readonly url: string;
  readonly method: string;
  readonly connections: number;
  /** Default: 3. */
  readonly seconds?: number;
}

/** Posts the same JSON-RPC call over and over. @throws When a reply is no success. */
export async function load(options: LoadOptions): Promise<Load> {
  const { url, method, connections, seconds = 3 } = options;
  const { stdout, stderr, success } = await new Deno.Command("taskset", {
    args: [
      ...["-c", String(navigator.hardwareConcurrency - 1), "wrk", "-t1", `-c${connections}`],
      ...[
        `-d${seconds}s`,
        "--latency",
        "-s",
        `${ROOT}scripts/bench/post.lua`,
        `${url}/`,
        "--",
        method,
      ],
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success || /Non-2xx|Socket errors/.test(text)) {
    throw new Error(`wrk failed:\n${text}${new TextDecoder().decode(stderr)}`);
  }
  const [, amount, unit] = /50%\s+([\d.]+)(us|ms|s)/.exec(text)!;
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)![1]),
    latency: Number(amount) * { us: 0.001, ms: 1, s: 1000 }[unit as "us" | "ms" | "s"],
  };
}
