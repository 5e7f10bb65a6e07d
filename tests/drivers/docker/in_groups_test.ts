import { assert, assertEquals, assertRejects } from "@std/assert";
import { abortable } from "@std/async/abortable";
import { inGroups } from "../../../drivers/docker/in_groups.ts";
import { MpError } from "../../../runtime/errors.ts";

Deno.test("inGroups() does all, some at once", async () => {
  const done: number[] = [];
  let [now, most] = [0, 0];
  await inGroups(Array.from({ length: 40 }, (_, i) => i), async (i) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
    done.push(i);
  });
  assertEquals(done.toSorted((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i));
  assert(most > 1 && most <= 16, String(most));
});

Deno.test("inGroups() waits after an error for what is under way, and begins no more", async () => {
  const slow = Promise.withResolvers<void>();
  const begun: number[] = [];
  const all = inGroups(Array.from({ length: 40 }, (_, i) => i), async (i, gone) => {
    begun.push(i);
    if (i === 3) throw new Error("no");
    await abortable(slow.promise, gone);
  });
  let settled = false;
  all.catch(() => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(settled, false);
  slow.resolve();
  await assertRejects(() => all, Error, "no");
  assertEquals(begun.length, 16);
});

Deno.test("inGroups() waits for nothing that an engine would do that is gone", async () => {
  const error = new MpError("engine_unavailable", "Cannot reach a container engine: it has ended");
  const seen: unknown[] = [];
  const thrown = await inGroups([0, 1, 2], async (i, gone) => {
    if (i === 1) throw error;
    const never = new Promise<void>(() => {});
    await abortable(never, gone).catch((reason) => {
      seen.push(reason);
      throw reason;
    });
  }).catch((error) => error);
  assertEquals([thrown, ...seen], [error, error, error]);
});
