/**
 * Cases: signals, and the end of a storage.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { type Case, put, scope, Session, values } from "./harness.ts";

export const CLOSING: readonly Case[] = [
  {
    name: "close() of a storage that was never used does nothing",
    async run(connections) {
      const storage = connections.open();
      await storage.close();
      await storage.close();
    },
  },
  {
    name: "close() ends every later call with a reason, and leaves other connections alone",
    async run(connections) {
      const session = new Session(connections.open());
      const other = connections.open();
      await session.put(scope("a"), 1);
      await Promise.all([session.storage.close(), session.storage.close()]);
      const calls = [
        () => session.storage.read([scope("a")]),
        () => session.put(scope("a"), 2),
        () => Array.fromAsync(session.storage.scan({ prefix: ["scope"] })),
      ];
      for (const call of calls) {
        const error = await assertRejects(call, MpError, "closed");
        assertEquals([error.code, error.reason], ["storage_unavailable", "closed"]);
      }
      assertEquals(await values(other, [scope("a")]), [1]);
    },
  },
  {
    name: "close() ends calls that are under way",
    async run(connections) {
      const session = new Session(connections.open());
      await session.put(scope("a"), 0);
      const calls = [1, 2, 3].map((i) => session.put(scope("a"), i).then(() => "done", String));
      await session.storage.close();
      // each has an answer or an error; the case fails when one is never settled
      assertEquals((await Promise.all(calls)).length, 3);
    },
  },
  {
    name: "a signal that has aborted keeps a call from being made",
    async run(connections) {
      const session = new Session(connections.open());
      const signal = AbortSignal.abort(new Error("the caller went away"));
      const commit = session.next([], [put(scope("a"), 1)]);
      await assertRejects(() => session.send(commit, signal), Error, "the caller went away");
      await assertRejects(
        () => session.storage.read([scope("a")], { signal }),
        Error,
        "the caller went away",
      );
      assertEquals(await values(session.storage, [scope("a")]), [undefined]);
    },
  },
];
