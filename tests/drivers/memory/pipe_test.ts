import { assert, assertEquals } from "@std/assert";
import { Pipe } from "../../../drivers/memory/pipe.ts";
import { settled } from "../../support/virtual_clock.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("Pipe.read() takes what has arrived, as much as there is room for", async () => {
  const pipe = new Pipe();
  pipe.push(bytes(1, 2, 3));
  pipe.push(bytes(4));
  const into = new Uint8Array(2);
  assertEquals([await pipe.read(into), [...into]], [2, [1, 2]]);
  assertEquals([await pipe.read(into), [...into]], [2, [3, 4]]);
});

Deno.test("Pipe.read() waits for what arrives", async () => {
  const pipe = new Pipe();
  const into = new Uint8Array(4);
  const read = pipe.read(into);
  pipe.push(bytes(7));
  assertEquals([await read, into[0]], [1, 7]);
});

Deno.test("Pipe.end() is read after everything that came before", async () => {
  const pipe = new Pipe();
  pipe.push(bytes(1));
  pipe.end();
  pipe.push(bytes(2));
  const into = new Uint8Array(4);
  assertEquals([await pipe.read(into), await pipe.read(into)], [1, null]);
  const waiting = new Pipe();
  const read = waiting.read(into);
  waiting.end();
  assertEquals(await read, null);
});

Deno.test("Pipe.room() waits while much is unread", async () => {
  const pipe = new Pipe();
  await pipe.room();
  pipe.push(new Uint8Array(2 * 1024 * 1024));
  let room = false;
  const waiting = pipe.room().then(() => room = true);
  await settled();
  assert(!room);
  await pipe.read(new Uint8Array(1024 * 1024));
  await waiting;
  const abandoned = new Pipe();
  abandoned.push(new Uint8Array(2 * 1024 * 1024));
  const freed = abandoned.room();
  abandoned.abandon();
  await freed;
});
