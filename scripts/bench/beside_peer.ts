/**
 * Rows beside libraries from npm.
 *
 * @module
 */

import { load } from "./load.ts";
import { ROOT, runPeer, runTopology } from "./processes.ts";
import type { Row } from "./row.ts";

/** What is compared. */
export interface Match {
  readonly name: string;
  readonly title: string;
  readonly target: number;
  /** The script, and the method that is called. */
  readonly topology: string;
  readonly method: string;
  /** The peer's program, with its arguments. */
  readonly peer: readonly [name: string, ...args: string[]];
  readonly against: string;
}

/** Requests per second of a topology beside a peer that does the same. */
export function besidePeer({ topology, method, peer, ...match }: Match): Row {
  return {
    ...match,
    unit: "requests/s",
    better: "more",
    async prepare() {
      const stack = new AsyncDisposableStack();
      const ours = stack.use(await runTopology(`${ROOT}${topology}`));
      const [name, ...args] = peer;
      const theirs = stack.use(await runPeer(name, args));
      const side = (name: string, { url }: { url: string }) => ({
        name,
        measure: async () => (await load({ url, method, connections: 32 })).requestsPerSecond,
      });
      const sides = [side("mp", ours), side(name, theirs)];
      for (const { measure } of sides) await measure();
      return { sides, [Symbol.asyncDispose]: () => stack.disposeAsync() };
    },
  };
}
