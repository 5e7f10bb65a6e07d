/**
 * Cases: a server that is away, is killed, and comes back.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type {
  Commit,
  CommitResult,
  Key,
  Storage,
  Versioned,
} from "../../../runtime/storage/storage.ts";
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

/** Reads a key, again and again while the storage is away. */
async function readUntilThere(storage: Storage, key: Key): Promise<Versioned> {
  const end = AbortSignal.timeout(30_000);
  for (;;) {
    try {
      return await read(storage, key);
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
        assertEquals((await readUntilThere(storage, scope("a"))).value, "1");
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
      const calling = Promise.all(
        range(4).map(async () => {
          const session = new Session(connections.open());
          let state = await readUntilThere(session.storage, key);
          while (!stop) {
            const commit = session.next([check(state)], [put(key, Number(state.value ?? 0) + 1)]);
            const result = await session.send(commit).catch((error) => {
              if (!passesByItself(error)) throw error;
              if (mayHaveCommitted(error)) unknown++;
              return sendUntilAnswered(session, commit);
            });
            if (result.done) acknowledged++;
            state = result.done ? await readUntilThere(session.storage, key) : result.current[0]!;
          }
        }),
      );
      // a caller that fails is seen at the end
      calling.catch(() => {});
      const storage = connections.open();
      for (const round of range(3)) {
        const before = acknowledged;
        const end = AbortSignal.timeout(30_000);
        while (acknowledged < before + 50) {
          assert(!end.aborted, `nothing is acknowledged in round ${round}`);
          await storage.read([]).catch(() => {});
        }
        await connections.server.kill();
        await connections.server.start();
      }
      stop = true;
      await calling;
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
