import { assert, assertEquals, assertRejects } from "@std/assert";
import { lastingConnection } from "../../../drivers/storage/lasting_connection.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";

/** Connections that are numbered, over a server that the test makes unreachable. */
function numbered() {
  const state = { away: false, attempts: 0, hanging: false };
  const closed: number[] = [];
  const connection = lastingConnection<number>({
    async connect(signal) {
      state.attempts++;
      if (state.hanging) {
        await new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        );
      }
      if (state.away) throw new Error("refused");
      return state.attempts;
    },
    disconnect: (number) => void closed.push(number),
    unreachable: (cause) => new Error(`unreachable: ${(cause as Error).message}`),
    closed: () => new Error("closed"),
  });
  return { connection, state, closed };
}

Deno.test("get() connects once for all, and again after the connection is lost", async () => {
  const { connection, state, closed } = numbered();
  assertEquals(await Promise.all([connection.get(), connection.get()]), [1, 1]);
  assertEquals(await connection.get(), 1);
  connection.lost(1);
  assertEquals(await Promise.all([connection.get(), connection.get()]), [2, 2]);
  connection.lost(1);
  assertEquals(await connection.get(), 2);
  await connection.close();
  assertEquals([state.attempts, closed], [2, [1, 1, 2]]);
});

Deno.test("get() says why there is no connection, and pauses ever longer between attempts", async () => {
  using clock = new VirtualClock();
  const { connection, state } = numbered();
  state.away = true;
  await assertRejects(() => connection.get(), Error, "unreachable: refused");
  assertEquals(state.attempts, 1);
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    const begun = performance.now();
    const attempts = state.attempts;
    const failing = assertRejects(() => connection.get(), Error, "unreachable: refused");
    while (state.attempts === attempts) await clock.pass(5);
    await failing;
    pauses.push(performance.now() - begun);
  }
  assert(pauses[0]! <= 110, `the first pause is ${pauses[0]} ms`);
  assert(pauses.at(-1)! >= 500 && pauses.at(-1)! <= 1010, `the last pause is ${pauses.at(-1)} ms`);
  state.away = false;
  const getting = connection.get();
  await clock.pass(1000);
  assertEquals(await getting, state.attempts);
  // and from the start after a success
  connection.lost(state.attempts);
  assertEquals(await connection.get(), state.attempts);
  await connection.close();
});

Deno.test("get() ends when its signal aborts, and the attempt goes on for others", async () => {
  const { connection, state } = numbered();
  state.away = true;
  await assertRejects(() => connection.get(), Error, "unreachable: refused");
  state.away = false;
  const controller = new AbortController();
  const impatient = connection.get(controller.signal);
  const patient = connection.get();
  controller.abort(new Error("the caller went away"));
  await assertRejects(() => impatient, Error, "unreachable: refused");
  assertEquals(await patient, 2);
  await connection.close();
});

Deno.test("close() ends an attempt that is under way, and every later one", async () => {
  const { connection, state, closed } = numbered();
  state.hanging = true;
  const waiting = assertRejects(() => connection.get(), Error, "closed");
  await settled();
  await connection.close();
  await waiting;
  await assertRejects(() => connection.get(), Error, "closed");
  await connection.close();
  assertEquals(closed, []);
});
