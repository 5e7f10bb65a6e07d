import { assertEquals } from "@std/assert";
import { feed } from "../../../runtime/launch/feed.ts";

Deno.test("feed() gives every reader what is put in from the call of read() on", async () => {
  const { put, read, end } = feed<number>();
  put(0);
  const first = read();
  put(1);
  const second = read();
  put(2);
  end();
  assertEquals(await Array.fromAsync(first), [1, 2]);
  assertEquals(await Array.fromAsync(second), [2]);
  assertEquals(await Array.fromAsync(read()), []);
});

Deno.test("feed() wakes a reader that waits", async () => {
  const { put, read, end } = feed<string>();
  const got: string[] = [];
  const reading = (async () => {
    for await (const item of read()) {
      got.push(item);
      if (item === "b") end();
    }
  })();
  await Promise.resolve();
  put("a");
  await Promise.resolve();
  put("b");
  await reading;
  assertEquals(got, ["a", "b"]);
});

Deno.test("feed() ends a reader when its signal aborts", async () => {
  const { put, read } = feed<number>();
  const controller = new AbortController();
  const reading = Array.fromAsync(read(controller.signal));
  put(1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  controller.abort();
  assertEquals(await reading, [1]);
  assertEquals(await Array.fromAsync(read(AbortSignal.abort())), []);
});

Deno.test("feed() counts what a reader was too slow for", async () => {
  const { put, read, end } = feed<number | string>({
    most: 3,
    missed: (count) => `missed ${count}`,
  });
  const reading = read();
  for (let i = 0; i < 10; i++) put(i);
  end();
  assertEquals(await Array.fromAsync(reading), [0, 1, 2, "missed 7"]);
});

Deno.test("feed() forgets a reader that leaves", async () => {
  const { put, read } = feed<number>();
  const reading = read();
  put(1);
  for await (const _ of reading) break;
  put(2);
  assertEquals(await Array.fromAsync(reading), []);
});

Deno.test("feed() ends a reader that is aborted while it is at an item", async () => {
  const items = feed<number>();
  const stop = new AbortController();
  const read = items.read(stop.signal);
  items.put(1);
  const seen: number[] = [];
  for await (const item of read) {
    seen.push(item);
    stop.abort();
  }
  assertEquals(seen, [1]);
});
