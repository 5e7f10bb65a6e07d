/**
 * Cases: a server that is away, is killed, and comes back.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { Commit, CommitResult } from "../../../runtime/storage/storage.ts";
import { mayHaveCommitted, passesByItself } from "../../../runtime/storage/storage_fault.ts";
import { type Case, check, DONE, put, range, read, scope, Session, values } from "./harness.ts";

/** Sends a commit again and again until it is answered, as a replica does. */
async function sendUntilAnswered(session: Session, commit: Commit): Promise<CommitResult> {
  const end = AbortSignal.timeout(30_000);
  for (;;) {
    try {
      return await session.send(commit, end);
    } catch (error) {
      if (!passesByItself(error) || end.aborted) throw error;
    }
  }
}

export const OUTAGES: readonly Case[] = [
  {
    name: "read() from a server that is away fails with a reason, and succeeds when it is back",
    needsServer: true,
    async run(connections) {
      const fresh = connections.open();
      const used = new Session(connections.open());
      await used.put(scope("a"), 1);
      await connections.server.kill();
      try {
        for (const storage of [fresh, used.storage]) {
          const error = await assertRejects(() => storage.read([scope("a")]), MpError);
          assertEquals(error.code, "storage_unavailable");
          assert(passesByItself(error), `the reason is ${error.reason}`);
          assert(error.retryable);
        }
        // and while it is known to be away, within the time that the caller has
        const begun = performance.now();
        const signal = AbortSignal.timeout(300);
        while (!signal.aborted) {
          const error = await assertRejects(() => fresh.read([], { signal }), MpError);
          assertEquals(error.reason, "unreachable");
        }
        assert(performance.now() - begun < 2_000, "it took longer than its signal");
      } finally {
        await connections.server.start();
      }
      for (const storage of [fresh, used.storage]) {
        const until = AbortSignal.timeout(20_000);
        for (;;) {
          try {
            assertEquals(await values(storage, [scope("a")]), [1]);
            break;
          } catch (error) {
            if (!passesByItself(error) || until.aborted) throw error;
          }
        }
      }
    },
  },
  {
    name: "commit() sent again through a server killed with -9 is done exactly once",
    needsServer: true,
    async run(connections) {
      const key = scope("count");
      let acknowledged = 0;
      let unknown = 0;
      let stop = false;
      const callers = range(4).map(async () => {
        const session = new Session(connections.open());
        let state = await read(session.storage, key);
        while (!stop) {
          const commit = session.next([check(state)], [put(key, Number(state.value ?? 0) + 1)]);
          const result = await session.send(commit).catch((error) => {
            if (!passesByItself(error)) throw error;
            if (mayHaveCommitted(error)) unknown++;
            return sendUntilAnswered(session, commit);
          });
          if (result.done) acknowledged++;
          if (!result.done) state = result.current[0]!;
          else {state = {
              key,
              version: `${commit.session}.${commit.seq}`,
              value: commit.mutations[0]!.op === "put" ? commit.mutations[0]!.value : undefined,
            };}
        }
      });
      const storage = connections.open();
      for (const round of range(3)) {
        const before = acknowledged;
        while (acknowledged < before + 50) await storage.read([]).catch(() => {});
        await connections.server.kill();
        await connections.server.start();
        assert(round < 3);
      }
      stop = true;
      await Promise.all(callers);
      assertEquals(await values(connections.open(), [key]), [acknowledged]);
      assert(unknown > 0, "no reply was lost, so this shows nothing");
    },
  },
  {
    name: "watch() goes on after an outage",
    needsServer: true,
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("a"), 1);
      const states = connections.open().watch([scope("a")], { interval: 10 })
        [Symbol.asyncIterator]();
      assertEquals((await states.next()).value.value, "1");
      const change = states.next();
      await connections.server.kill();
      await connections.server.start();
      const result = await sendUntilAnswered(session, session.next([], [put(scope("a"), 2)]));
      assertEquals(result, DONE);
      assertEquals((await change).value.value, "2");
      await states.return!();
    },
  },
];
