import { assertEquals, assertFalse, assertMatch } from "@std/assert";
import { launch } from "./launched.ts";

const SCRIPT = `
type How = "throw" | "path" | "know" | "json" | "hang" | "die";
const leaf = async (how: How, { replica }: mp.Context): Promise<unknown> => {
  if (replica.index === 0) return 1;
  switch (how) {
    case "throw":
      throw new Error("no prices today");
    case "path":
      throw new Error("Cannot open '/home/me/prices.json'\\n    at read (file:///home/me/a.ts:1:1)");
    case "know":
      throw new mp.MpError("overloaded", "Cannot tell the price: too many ask", {
        next: "Ask again in a minute",
      });
    case "json":
      return 1n;
    case "hang":
      return await new Promise(() => {});
    case "die":
      Deno.exit(1);
  }
};
const prices = mp.service("prices", mp.scatter({
  replicas: 2,
  leaf,
  gather: (parts: unknown[]) => parts.length,
  timeout: 1000,
}));
const cart = mp.service("cart", (how: How) => prices.call(how));
mp.service("front", (how: How) => cart.call(how), { expose: true });`;

Deno.test("an error from three levels down says where and why, and keeps its code", async () => {
  await using at = await launch(SCRIPT);
  const errors: Record<string, unknown> = {};
  for (const how of ["throw", "path", "know", "json", "hang", "die"]) {
    const { error } = await at.reply("front", how);
    errors[how] = [error?.code, error?.message, error?.data];
  }
  // whoever waits along the way has the same deadline, and any of them may be the first to tell
  const [, late, { replica }] = errors.hang as [number, string, { replica: string }];
  assertMatch(replica, /^(cart\.0|prices\.gather\.0|prices\.scatter\.1)$/);
  assertEquals(late, `Cannot call ${replica}: no answer within 1 s`);
  const where = { service: "prices", replica: "prices.scatter.1" };
  assertEquals(errors, {
    throw: [-32000, "no prices today", { code: "handler_failed", ...where, reason: "threw" }],
    // neither the path nor the stack
    path: [-32000, "Cannot open 'prices.json'", {
      code: "handler_failed",
      ...where,
      reason: "threw",
    }],
    know: [-32004, "Cannot tell the price: too many ask", {
      code: "overloaded",
      ...where,
      next: "Ask again in a minute",
    }],
    json: [-32010, "Cannot answer: in the handler's result, the value (bigint) is not JSON", {
      code: "not_json",
      ...where,
    }],
    hang: [-32001, late, {
      code: "deadline_exceeded",
      service: replica.split(".")[0],
      replica,
      reason: "timed out",
    }],
    die: [-32002, "Cannot reach prices.scatter.1: the connection ended", {
      code: "replica_unreachable",
      ...where,
      reason: "disconnected",
    }],
  });
});

Deno.test("mp client shows an error to people, and as data", async () => {
  await using at = await launch(SCRIPT);
  const client = async (...args: string[]) => {
    const { code, stdout, stderr } = await at.sandbox.run(["client", ...args]);
    assertEquals([code, stdout], [1, ""]);
    return stderr;
  };
  assertEquals(
    await client("front", '"know"'),
    "error: Cannot tell the price: too many ask\n" +
      "  at prices.scatter.1\n" +
      "  → Ask again in a minute\n",
  );
  const { error } = JSON.parse(await client("front", '"throw"', "--json"));
  assertEquals(error, {
    code: "handler_failed",
    message: "no prices today",
    service: "prices",
    replica: "prices.scatter.1",
    reason: "threw",
  });
  const unknown = await client("nothing");
  assertMatch(unknown, /^error: Cannot call "nothing": .*\n {2}→ Exposed services: front\n$/);
  assertFalse(/\bat .*:\d+:\d+/.test(unknown));
});
