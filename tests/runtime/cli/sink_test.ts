import { assertEquals, assertMatch } from "@std/assert";
import { sink } from "../../../runtime/cli/sink.ts";

/** A writer that writes when it is told to. */
function slowWriter() {
  const written: string[] = [];
  let release = Promise.withResolvers<void>();
  return {
    written,
    go() {
      release.resolve();
      release = Promise.withResolvers();
    },
    async write(bytes: Uint8Array) {
      await release.promise;
      written.push(new TextDecoder().decode(bytes));
      return bytes.length;
    },
  };
}

Deno.test("write() does not wait, and keeps the order", async () => {
  const writer = slowWriter();
  const to = sink(writer);
  to.write("a");
  to.write("b");
  to.write("c");
  assertEquals(writer.written, []);
  writer.go();
  await Promise.resolve();
  const flushed = to.flush();
  for (let i = 0; i < 5; i++) {
    await Promise.resolve();
    writer.go();
  }
  await flushed;
  assertEquals(writer.written.join(""), "abc");
});

Deno.test("write() hands on what the system took only a part of", async () => {
  let text = "";
  const to = sink({
    write(bytes) {
      text += new TextDecoder().decode(bytes.subarray(0, 3));
      return Promise.resolve(Math.min(3, bytes.length));
    },
  });
  to.write("0123456789");
  await to.flush();
  assertEquals(text, "0123456789");
});

Deno.test("write() leaves text out when nobody reads, and says so", async () => {
  const writer = slowWriter();
  const to = sink(writer, 10);
  to.write("first");
  for (let i = 0; i < 100; i++) to.write("0123456789!");
  const flushed = to.flush();
  for (let i = 0; i < 20; i++) {
    writer.go();
    await Promise.resolve();
    await Promise.resolve();
  }
  await flushed;
  assertMatch(
    writer.written.join(""),
    /^first.*… \d+ pieces of output left out, for nobody read\n$/,
  );
});

Deno.test("closed aborts when the other end is gone, and later text is dropped", async () => {
  let tries = 0;
  const to = sink({
    write() {
      tries++;
      return Promise.reject(new Deno.errors.BrokenPipe());
    },
  });
  to.write("a");
  await to.flush();
  assertEquals(to.closed.aborted, true);
  to.write("b");
  await to.flush();
  assertEquals(tries, 1);
});

Deno.test("room() waits while much waits to be written", async () => {
  const writer = slowWriter();
  const to = sink(writer, 8);
  await to.room();
  to.write("a");
  await to.room();
  to.write("0123456789");
  let room = false;
  const waiting = to.room().then(() => room = true);
  await Promise.resolve();
  assertEquals(room, false);
  for (let i = 0; i < 10; i++) {
    writer.go();
    await Promise.resolve();
    await Promise.resolve();
  }
  await waiting;
  await to.flush();
});
