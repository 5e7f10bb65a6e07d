/**
 * Cases: states as they change.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Versioned } from "../../../runtime/storage/storage.ts";
import { type Case, range, scope, Session } from "./harness.ts";

const next = async (states: AsyncIterator<Versioned>): Promise<unknown[]> => {
  const { value, done } = await states.next();
  assert(!done, "it ended");
  return [value.key[1], value.value && JSON.parse(value.value)];
};

export const WATCHES: readonly Case[] = [
  {
    name: "watch() gives the state of each key, then what another connection makes of it",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("a"), 1);
      const watching = connections.open().watch([scope("a"), scope("b")], { interval: 5 });
      const states = watching[Symbol.asyncIterator]();
      assertEquals(await next(states), ["a", 1]);
      assertEquals(await next(states), ["b", undefined]);
      await session.put(scope("other"), 1);
      await session.put(scope("b"), 2);
      assertEquals(await next(states), ["b", 2]);
      await session.delete(scope("a"));
      assertEquals(await next(states), ["a", undefined]);
      await session.put(scope("a"), 3);
      assertEquals(await next(states), ["a", 3]);
      await states.return!();
    },
  },
  {
    name: "watch() may pass over states, but never over the last",
    async run(connections) {
      const session = new Session(connections.open());
      const watching = connections.open().watch([scope("a")], { interval: 1 });
      const writing = (async () => {
        for (const i of range(100)) await session.put(scope("a"), i);
      })();
      let last = -1;
      for await (const { value } of watching) {
        if (value === undefined) continue;
        assert(Number(value) > last, `${value} came after ${last}`);
        last = Number(value);
        if (last === 99) break;
      }
      await writing;
    },
  },
  {
    name: "watch() ends when its signal aborts, and when the storage is closed",
    async run(connections) {
      const storage = connections.open();
      const controller = new AbortController();
      const options = { signal: controller.signal, interval: 60_000 };
      const one = storage.watch([scope("a")], options)[Symbol.asyncIterator]();
      const two = storage.watch([scope("a")], { interval: 60_000 })[Symbol.asyncIterator]();
      await Promise.all([next(one), next(two)]);
      const ends = [one.next(), two.next()];
      controller.abort();
      assertEquals((await ends[0]!).done, true);
      await storage.close();
      assertEquals((await ends[1]!).done, true);
    },
  },
];
