import { assertEquals, assertRejects } from "@std/assert";
import type { Verdict } from "../../../runtime/storage/backend.ts";
import { pollChanges } from "../../../runtime/storage/poll_changes.ts";
import { storageFault } from "../../../runtime/storage/storage_fault.ts";
import { settled, VirtualClock } from "../../support/virtual_clock.ts";

const HOUR = 3_600_000;

/** One key whose state the test sets. */
function watched(interval: number, look?: () => void) {
  const controller = new AbortController();
  const listeners = new Set<() => void>();
  const state = { version: "1", value: "1" as string | null };
  let looks = 0;
  const states = pollChanges({
    keys: [["scope", "a"]],
    interval,
    signal: controller.signal,
    // deno-lint-ignore require-await -- what throws must reject
    async look([version]): Promise<Verdict[]> {
      looks++;
      look?.();
      return [version === state.version ? null : [{ index: 0, ...state }]];
    },
    onChange: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  });
  return {
    states,
    state,
    listeners,
    end: () => controller.abort(),
    get looks() {
      return looks;
    },
  };
}

Deno.test("pollChanges() looks again after each interval", async () => {
  using clock = new VirtualClock();
  const { states, state, end } = watched(100);
  assertEquals((await states.next()).value?.value, "1");
  const next = states.next();
  await clock.pass(250);
  Object.assign(state, { version: "2", value: null });
  await clock.pass(50);
  assertEquals((await next).value, { key: ["scope", "a"], version: "2", value: undefined });
  end();
  assertEquals((await states.next()).done, true);
  assertEquals(clock.timers, 0);
});

Deno.test("pollChanges() looks at once when it is told of a change", async () => {
  const watch = watched(HOUR);
  const { states, state, listeners, end } = watch;
  await states.next();
  // told while nobody waits
  Object.assign(state, { version: "2", value: "2" });
  for (const listener of listeners) listener();
  assertEquals((await states.next()).value?.value, "2");
  const next = states.next();
  await settled();
  Object.assign(state, { version: "3", value: "3" });
  for (const listener of listeners) listener();
  assertEquals((await next).value?.value, "3");
  end();
  assertEquals((await states.next()).done, true);
  assertEquals(listeners.size, 0);
});

Deno.test("pollChanges() goes on through outages, and ends with other errors", async () => {
  using clock = new VirtualClock();
  let error: Error | undefined = storageFault("unreachable", "Cannot reach it");
  const watch = watched(100, () => {
    if (error !== undefined) throw error;
  });
  const first = watch.states.next();
  await clock.pass(350);
  assertEquals(watch.looks, 4);
  error = undefined;
  await clock.pass(100);
  assertEquals((await first).value?.value, "1");
  error = new RangeError("a name is too long");
  const next = watch.states.next();
  next.catch(() => {});
  await clock.pass(100);
  await assertRejects(() => next, RangeError);
});
