/**
 * Cases: several connections at once.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type Case,
  check,
  checkNever,
  put,
  range,
  scope,
  scopes,
  Session,
  values,
} from "./harness.ts";

export const CONCURRENCY: readonly Case[] = [
  {
    name: "commit() loses no update of 40 callers on two connections",
    async run(connections) {
      const connection = [connections.open(), connections.open()];
      const key = scope("count");
      await Promise.all(
        range(40).map(async (i) => {
          const session = new Session(connection[i % 2]!);
          for (const _ of range(5)) await session.change(key, (count) => Number(count ?? 0) + 1);
        }),
      );
      assertEquals(await values(connection[0]!, [key]), [200]);
    },
  },
  {
    name: "commit() lets one of many create a key, round after round",
    async run(connections) {
      const sessions = range(8).map(() => new Session(connections.open()));
      for (const round of range(25)) {
        const key = scope(`key ${round}`);
        const results = await Promise.all(
          sessions.map((session, i) => session.commit([checkNever(key)], [put(key, i)])),
        );
        const winners = results.flatMap(({ done }, i) => done ? [i] : []);
        assertEquals(winners.length, 1, `${winners.length} created it in round ${round}`);
        assertEquals(await values(sessions[0]!.storage, [key]), winners);
        for (const result of results) {
          if (!result.done) assertEquals(result.current[0]!.value, String(winners[0]));
        }
      }
    },
  },
  {
    name: "commit() of transfers in every direction keeps the sum, with no deadlock to be seen",
    async run(connections) {
      const accounts = range(4).map((i) => scope(`account ${i}`));
      const opener = new Session(connections.open());
      for (const account of accounts) await opener.put(account, 100);
      await Promise.all(
        range(6).map(async (i) => {
          const session = new Session(connections.open());
          for (const round of range(25)) {
            const from = accounts[(i + round) % 4]!;
            const to = accounts[(i + round * 3 + 1) % 4]!;
            if (from === to) continue;
            let states = await session.storage.read([from, to]);
            for (;;) {
              const [a, b] = states.map(({ value }) => Number(value));
              const result = await session.commit(
                // in the caller's own order, as a script would
                states.map(check),
                [put(to, b! + 1), put(from, a! - 1)],
              );
              if (result.done) break;
              const changed = new Map(result.current.map((state) => [state.key[1], state]));
              states = states.map((state) => changed.get(state.key[1]!) ?? state);
            }
          }
        }),
      );
      const balances = await values(opener.storage, accounts);
      assertEquals(balances.reduce<number>((sum, balance) => sum + Number(balance), 0), 400);
    },
  },
  {
    name: "commit() that read what another writes, and writes what it read, is refused",
    async run(connections) {
      const one = new Session(connections.open());
      const two = new Session(connections.open());
      for (const round of range(30)) {
        // each creates its own key if the other's is not there: there must not be both
        const [a, b] = [scope(`a ${round}`), scope(`b ${round}`)];
        const results = await Promise.all([
          one.commit([checkNever(a)], [put(b, 1)]),
          two.commit([checkNever(b)], [put(a, 1)]),
        ]);
        assert(results.filter(({ done }) => done).length === 1, `both or none in round ${round}`);
      }
      const [a, b] = [scope("a"), scope("b")];
      await one.storage.commit([one.next([], [put(a, 0), put(b, 0)])]);
      for (const round of range(30)) {
        const states = await one.storage.read([a, b]);
        const results = await Promise.all([
          one.commit([check(states[0]!)], [put(b, round)]),
          two.commit([check(states[1]!)], [put(a, round)]),
        ]);
        assert(results.filter(({ done }) => done).length === 1, `both or none in round ${round}`);
      }
    },
  },
  {
    name: "read() never sees half of a commit",
    async run(connections) {
      const keys = scopes("a", "b", "c");
      const session = new Session(connections.open());
      const write = (i: number) => session.next([], keys.map((key) => put(key, i)));
      await session.send(write(0));
      let writing = true;
      const writer = (async () => {
        for (const i of range(200)) await session.send(write(i));
        writing = false;
      })();
      const reader = connections.open();
      const seen = new Set<unknown>();
      while (writing) {
        const found = await values(reader, keys);
        assertEquals(new Set(found).size, 1, `saw ${found}`);
        seen.add(found[0]);
      }
      await writer;
      assert(seen.size > 1, "the reader saw only one state, so this shows nothing");
    },
  },
  {
    name: "commit() of many callers at once gives each its own answer",
    async run(connections) {
      const storage = connections.open();
      const key = (i: number) => scope(`key ${i}`);
      await Promise.all(
        range(300).map(async (i) => {
          const session = new Session(storage);
          const commit = session.next([checkNever(key(i % 150))], [put(key(i % 150), i)]);
          const result = await session.send(commit);
          const [value] = await values(storage, [key(i % 150)]);
          assertEquals(result.done, value === i);
        }),
      );
    },
  },
];
