import { assertEquals } from "@std/assert";
import { Pulse } from "../../../drivers/process/pulse.ts";

/** A pulse, what it told, and the answers that its channel owes. */
function watch() {
  const told: (number | "answer")[] = [];
  const pings: PromiseWithResolvers<void>[] = [];
  const pulse = new Pulse({
    timeout: 1_000,
    onSilent: (milliseconds) => told.push(milliseconds),
    onAnswer: () => told.push("answer"),
  });
  const channel = {
    ping() {
      const ping = Promise.withResolvers<void>();
      pings.push(ping);
      return ping.promise;
    },
  };
  const answer = async () => {
    pings.at(-1)!.resolve();
    await pings.at(-1)!.promise;
  };
  return { told, pings, pulse, channel, answer };
}

Deno.test("Pulse tells how long a process owes its first word", () => {
  const { told, pulse, channel } = watch();
  pulse.beat(1);
  pulse.start(10);
  pulse.beat(11);
  pulse.beat(25);
  pulse.meet(channel);
  pulse.beat(30);
  assertEquals(told, [1, 15]);
});

Deno.test("Pulse asks once, until there is an answer", async () => {
  const { told, pings, pulse, channel, answer } = watch();
  pulse.meet(channel);
  pulse.beat(100);
  pulse.beat(150);
  pulse.beat(200);
  assertEquals([pings.length, told], [1, [50, 100]]);
  await answer();
  pulse.beat(210);
  assertEquals([pings.length, told], [2, [50, 100, "answer"]]);
});

Deno.test("Pulse does not take the answer of an earlier process for one", async () => {
  const { told, pulse, channel, answer } = watch();
  pulse.meet(channel);
  pulse.beat(100);
  pulse.stop();
  pulse.start(200);
  await answer();
  pulse.beat(300);
  assertEquals(told, [100]);
});

Deno.test("Pulse goes on counting when the connection ends", async () => {
  const { told, pings, pulse, channel } = watch();
  pulse.meet(channel);
  pulse.beat(100);
  pings[0]!.reject(new Error("disconnected"));
  await pings[0]!.promise.catch(() => {});
  pulse.beat(200);
  assertEquals([pings.length, told], [1, [100]]);
});

Deno.test("Pulse forgives silence while the launcher itself was stopped", () => {
  const { told, pulse, channel } = watch();
  pulse.meet(channel);
  pulse.beat(100);
  pulse.forgive(90_000);
  pulse.beat(90_000);
  pulse.beat(90_500);
  assertEquals(told, [0, 500]);
});
