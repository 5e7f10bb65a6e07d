// What handlers and shard keys can do wrong, and what callers and logs get.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needsSystem, testWith } from "../support/needs.ts";
import type { Reply } from "./callers.ts";
import { launch, type Launched } from "./launched.ts";

const failing = `
interface Order { item: string }

function reserve(order: Order): number {
  throw new RangeError("no " + order.item + " left, says " + import.meta.filename);
}
mp.service("throws", (order: Order) => reserve(order), { expose: true });

const later = async (order: Order) => {
  await Promise.resolve();
  return reserve(order);
};
mp.service("leaf-throws", mp.scatter(3, async (order: Order, { replica }: mp.Context) => {
  return replica.index === 1 ? await later(order) : 1;
}, (parts) => parts), { expose: true });
mp.service("gather-throws", mp.scatter(2, () => 1, (): number => reserve({ item: "card" })), { expose: true });
mp.service("calls-throws", () => throws.call({ item: "pen" }), { expose: true });
const throws = mp.service("inner", (order: Order) => reserve(order));
mp.service("throws-text", () => { throw "plainly"; }, { expose: true });
`;
/** The line on which \`reserve()\` throws, under the line that every script has. */
const THROWS_AT = 2 +
  failing.split("\n").findIndex((line) => line.includes("throw new RangeError"));

/** What callers must never see: a stack, or a path of this machine. */
function assertNothingLeaks({ sandbox }: Launched, reply: Reply) {
  const text = JSON.stringify(reply);
  assert(!text.includes(sandbox.folder) && !/\bat .*:\d+:\d+|file:|\.mjs/.test(text), text);
}

Deno.test("a handler that throws gives its message to the caller, and its stack to the logs", async () => {
  await using launched = await launch(failing);
  const fails = async (
    service: string,
    at: { service?: string; replica: string },
    item: string,
  ) => {
    const reply = await launched.reply(service, { item });
    assertNothingLeaks(launched, reply);
    assertEquals(reply.error, {
      code: -32000,
      message: `no ${item} left, says shop.ts`,
      data: { code: "handler_failed", service, reason: "threw", ...at },
    });
  };
  await fails("throws", { replica: "throws.0" }, "ink");
  await fails("leaf-throws", { replica: "leaf-throws.scatter.1" }, "paper");
  await fails("gather-throws", { replica: "gather-throws.gather.0" }, "card");
  await fails("calls-throws", { service: "inner", replica: "inner.0" }, "pen");
  assertEquals((await launched.reply("throws-text")).error?.message, "plainly");
  await launched.stop();
  const { stdout, stderr } = await launched.sandbox.run(["logs", "shop"]);
  const lines = (stdout + stderr).split("\n");
  for (const item of ["ink", "paper", "card", "pen"]) {
    const at = lines.findIndex((line) => line.includes(`RangeError: no ${item} left`));
    assert(at >= 0, `${item} in\n${lines.join("\n")}`);
    assertStringIncludes(lines[at + 1]!, `at reserve (${launched.script}:${THROWS_AT}:9)`);
    // of mp itself, or of the bundle, there is nothing in it
    const frames = lines.slice(at + 1).filter((line) => / at /.test(line)).slice(0, 2);
    for (const frame of frames) assertMatch(frame, /shop\.ts:\d+:\d+/);
  }
  assertEquals(lines.filter((line) => line.includes("async_hooks")), []);
});

const hanging = `
const never = () => new Promise<never>(() => {});
mp.service("hangs", never, { expose: true, timeout: 200 });
mp.service("leaf-hangs", mp.scatter({
  replicas: 2, leaf: (_: unknown, { replica }: mp.Context) => replica.index ? never() : 1,
  gather: (parts) => parts, timeout: 200, expose: true,
}), {});
mp.service("key-hangs", mp.shard(2, never, () => 1), { expose: true, timeout: 200 });
const signalled = async (_: unknown, { signal }: mp.Context) => {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  console.log("given up");
  await never();
};
mp.service("heeds", signalled, { expose: true, timeout: 200 });
`;

Deno.test("a handler that hangs gives a deadline error that names the service", async () => {
  await using launched = await launch(hanging);
  for (const service of ["hangs", "leaf-hangs", "key-hangs", "heeds"]) {
    const { error } = await launched.reply(service);
    assertEquals(error?.data?.code, "deadline_exceeded", JSON.stringify(error));
    assertEquals(error?.data?.service, service);
    assertStringIncludes(error!.message, service);
    // a part is given what is left of the time
    assertMatch(error!.message, /no answer within 0\.(2|1\d+) s$/);
  }
  await launched.told(({ text }) => text === "given up");
});

const busy = `
const compute = (until: string | undefined, { replica }: mp.Context) => {
  if (until === undefined) return replica.name;
  console.log("computes: " + replica.name);
  for (;;) {
    try {
      Deno.statSync(until);
      return replica.name;
    } catch { /* goes on */ }
  }
};
mp.service("computes", mp.spread(3, compute), { expose: true });
`;

Deno.test("a replica that computes for long is busy, and not dead; others answer", async () => {
  await using launched = await launch(busy);
  const { sandbox } = launched;
  const done = `${sandbox.folder}/done`;
  const computing = launched.reply("computes", done);
  const { text } = await launched.told(({ text }) => text?.startsWith("computes: ") ?? false);
  const name = text!.slice("computes: ".length);
  await launched.told(({ state }) => state === "busy");
  for (let i = 0; i < 30; i++) {
    const { result } = await launched.reply("computes");
    assert(result !== name, `answered by the busy ${result}`);
  }
  const ps = await sandbox.run(["ps", "shop"]);
  assertMatch(ps.stdout, /computes\.compute\[\d\] +busy/);
  const from = launched.program.lines.length;
  await sandbox.write("done", "");
  assertEquals((await computing).result, name);
  await launched.told(({ state }) => state === "ready", from);
  assertEquals((await launched.replicas()).map(({ restarts }) => restarts), [0, 0, 0, 0]);
});

const results = `
const cyclic: Record<string, unknown> = {};
cyclic.self = { cyclic };
const values: Record<string, () => unknown> = {
  bigint: () => ({ sum: 1n }),
  function: () => [() => 1],
  nan: () => ({ mean: { of: 0 / 0 } }),
  map: () => new Map([[1, 2]]),
  cycle: () => cyclic,
  promise: () => ({ later: Promise.resolve(1) }),
  nothing: () => undefined,
  date: () => new Date(0),
};
const answer = (kind: string) => values[kind]!();
mp.service("answers", answer, { expose: true });
mp.service("leaf-answers", mp.scatter(2, answer, (parts) => parts), { expose: true });
`;

Deno.test("a result that is not JSON is an error that names the place in it", async () => {
  await using launched = await launch(results);
  const places = {
    bigint: ".sum (bigint)",
    function: "[0] (function)",
    nan: ".mean.of (NaN)",
    map: "the value (a Map)",
    cycle: ".self.cyclic (a part of itself)",
    promise: ".later (a Promise)",
  };
  for (const [kind, place] of Object.entries(places)) {
    for (const service of ["answers", "leaf-answers"]) {
      const reply = await launched.reply(service, kind);
      assertNothingLeaks(launched, reply);
      const { code, message, data } = reply.error!;
      assertEquals([code, data?.code, data?.service], [-32010, "not_json", service]);
      assertEquals(message, `Cannot answer: in the handler's result, ${place} is not JSON`);
    }
  }
  assertEquals((await launched.reply("answers", "nothing")).result, null);
  assertEquals((await launched.reply("answers", "date")).result, "1970-01-01T00:00:00.000Z");
});

const sharded = `
const keys: Record<string, () => unknown> = {
  nan: () => 0 / 0,
  fraction: () => 2.5,
  negative: () => -1,
  text: () => "ada",
  object: () => ({ user: "ada" }),
  nothing: () => undefined,
  rejected: () => Promise.reject(new Error("no such user")),
  throws: () => { throw new Error("no such user"); },
  promised: () => Promise.resolve(7),
};
const key = (kind: string) => keys[kind]!() as string;
mp.service("sharded", mp.shard(4, key, (_, { replica }) => replica.index), { expose: true });
`;

Deno.test("a shard key that is none is an error that says what it is", async () => {
  await using launched = await launch(sharded);
  const said = {
    nan: "NaN",
    fraction: "2.5",
    object: "object",
    nothing: "undefined",
    rejected: "no such user",
    throws: "no such user",
  };
  for (const [kind, word] of Object.entries(said)) {
    const reply = await launched.reply("sharded", kind);
    assertNothingLeaks(launched, reply);
    const { code, message, data } = reply.error ?? {};
    assertEquals([code, data?.code], [-32009, "invalid_shard_key"], JSON.stringify(reply));
    assertEquals([data?.service, data?.replica], ["sharded", "sharded.shard.0"]);
    assertStringIncludes(message!, word);
  }
  assertEquals((await launched.reply("sharded", "negative")).result, 3);
  assertEquals((await launched.reply("sharded", "promised")).result, 3);
  const { result } = await launched.reply("sharded", "text");
  assertEquals((await launched.reply("sharded", "text")).result, result);
});

const dying = `
const die = async (how: string, { replica }: mp.Context) => {
  if (how === "exit") Deno.exit(3);
  if (how === "stray") Promise.reject(new Error("nobody catches this"));
  if (how === "later") setTimeout(() => { throw new Error("nobody catches that"); }, 0);
  if (how !== "stay") await new Promise(() => {});
  return replica.name;
};
mp.service("dies", mp.spread(1, die), { expose: true });
`;

testWith(
  needsSystem("linux", "darwin"),
  "a handler that ends its process fails its own calls, says why in the logs, and is back",
  async () => {
    await using launched = await launch(dying);
    const { program } = launched;
    const hows = { exit: "exited with 3", stray: "exited with 1", later: "exited with 1" };
    for (const [how, exit] of Object.entries(hows)) {
      const from = program.lines.length;
      const reply = await launched.reply("dies", how);
      assertEquals(reply.error?.data, {
        code: "replica_unreachable",
        service: "dies",
        replica: "dies.compute.0",
        reason: "disconnected",
      });
      await launched.told(({ state }) => state === "restarting", from);
      await launched.told(({ state }) => state === "ready", from);
      assertEquals((await launched.replicas())[1]!.lastExit, exit);
      assertEquals((await launched.reply("dies", "stay")).result, "dies.compute.0");
    }
    const stray = await launched.told(({ text }) => text?.includes("nobody catches this") ?? false);
    assertStringIncludes(stray.text!, "Uncaught (in promise)");
    await launched.told(({ text }) => /^ +at die \(.*shop\.ts:5:\d+\)$/.test(text ?? ""));
  },
);
