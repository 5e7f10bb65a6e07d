/**
 * Load at a constant rate, whatever becomes of the calls: one that waits keeps no other from being made.
 *
 * A generator whose connections wait for their answers makes fewer calls while the system is slow, and so
 * does not see most of the slowness. It is written in JavaScript, which is good for the times of some
 * hundred calls a second, and for comparing them with each other.
 *
 * @module
 */

/** Options of {@linkcode steadyLoad}. */
export interface SteadyLoadOptions {
  readonly url: string;
  readonly method: string;
  /** Calls per second. */
  readonly rate: number;
  readonly seconds: number;
}

/** How long each call took, from when it was due, in milliseconds, the fastest first. @throws When one fails. */
export async function steadyLoad(options: SteadyLoadOptions): Promise<number[]> {
  const { url, method, rate, seconds } = options;
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [1] });
  const headers = { "content-type": "application/json" };
  const started = performance.now();
  const calls: Promise<number>[] = [];
  const call = async (due: number): Promise<number> => {
    const reply = await (await fetch(url, { method: "POST", headers, body })).json();
    if (reply.result !== 1) throw new Error(`a wrong answer: ${JSON.stringify(reply)}`);
    return performance.now() - due;
  };
  while (calls.length < rate * seconds) {
    const due = started + calls.length * 1000 / rate;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    else calls.push(call(due));
  }
  return (await Promise.all(calls)).sort((a, b) => a - b);
}
