import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { shard } from "../../../patterns/shard.ts";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { CallContext } from "../../../runtime/replica/call_context.ts";
import { type Responder, responder } from "../../../runtime/replica/responder.ts";
import type { Context } from "../../../runtime/topology/context.ts";
import type { AnyTarget, PartClient } from "../../../runtime/topology/target.ts";
import { walk } from "../../../runtime/topology/walk.ts";
import { partOf } from "../../patterns/routed.ts";
import { settled } from "../../support/virtual_clock.ts";
import { boundApi } from "../topology/bound_api.ts";

interface Made {
  readonly respond: Responder;
  readonly faults: unknown[];
}

function responderOf(target: AnyTarget, parts: Record<string, PartClient> = {}): Made {
  const { mp, topology } = boundApi();
  mp.service("svc", target as () => unknown);
  const [place] = walk(topology);
  const faults: unknown[] = [];
  const fail = () => Promise.reject(new Error("no scope is touched here"));
  const scopes = { commit: fail, recall: fail, keep: fail, preload: fail };
  const onFault = (error: unknown) => faults.push(error);
  return { respond: responder(place!, { parts, scopes, onFault }), faults };
}

const contextOf = () =>
  new CallContext({
    service: "svc",
    replica: { path: "svc", index: 0, count: 1, name: "svc.0" },
    timeout: 1_000,
    requestId: "id",
  });

async function ask({ respond }: Made, request: unknown): Promise<unknown> {
  return (await respond(Payload.of(request), contextOf())).value;
}

async function refusal(made: Made, request?: unknown): Promise<MpError> {
  return await assertRejects(async () => await ask(made, request), MpError);
}

Deno.test("responder() runs a handler with the request and its context", async () => {
  const seen: unknown[] = [];
  const made = responderOf((request: unknown, context: Context) => {
    seen.push(request, context.service, CallContext.current === context);
    return { got: request };
  });
  assertEquals(await ask(made, [1]), { got: [1] });
  assertEquals(seen, [[1], "svc", true]);
  assertEquals(await ask(responderOf(async (n: number) => (await settled(), n + 1)), 1), 2);
});

Deno.test("responder() answers without a promise when the handler does", () => {
  const { respond } = responderOf(() => 7);
  const reply = respond(Payload.of(1), contextOf());
  assert(reply instanceof Payload);
  assertEquals(reply.text, "7");
});

Deno.test("responder() takes whatever can be awaited", async () => {
  const thenable = { then: (resolve: (value: number) => void) => resolve(7) };
  assertEquals(await ask(responderOf(() => thenable), 1), 7);
});

Deno.test("responder() encodes a result before its maker changes it", async () => {
  const list = [1];
  const sync = responderOf(() => list).respond(Payload.of(1), contextOf()) as Payload;
  list.push(2);
  assertEquals(sync.text, "[1]");
  const later = responderOf(() => Promise.resolve(list));
  const reply = ask(later, 1);
  reply.then(() => list.push(3));
  assertEquals(await reply, [1, 2]);
});

Deno.test("responder() passes on a payload as it came", async () => {
  const payload = Payload.ofText("{never decoded");
  const reply = await responderOf(() => payload).respond(Payload.of(1), contextOf());
  assertStrictEquals(reply, payload);
});

Deno.test("responder() makes handler_failed of what the user's code throws, and reports it", async () => {
  const thrown = new TypeError("no such user");
  const handlers = [
    () => {
      throw thrown;
    },
    () => Promise.reject(thrown),
  ];
  for (const handler of handlers) {
    const made = responderOf(handler);
    const error = await refusal(made);
    assertEquals(error.toData(), {
      code: "handler_failed",
      message: "no such user",
      service: "svc",
      replica: "svc.0",
      reason: "threw",
    });
    assertEquals(made.faults, [thrown]);
  }
  const bare = await refusal(responderOf(() => {
    throw undefined;
  }));
  assertEquals([bare.code, bare.message], ["handler_failed", "undefined"]);
});

Deno.test("responder() throws at once when the handler does", () => {
  const { respond } = responderOf(() => {
    throw new Error("no");
  });
  assertThrows(() => respond(Payload.of(1), contextOf()), MpError, "no");
});

Deno.test("responder() lets an MpError through, with service and replica where it has none", async () => {
  const own = new MpError("unauthorized", "Cannot let you in", { reason: "why" });
  const made = responderOf(() => Promise.reject(own));
  assertEquals((await refusal(made)).toData(), {
    code: "unauthorized",
    message: "Cannot let you in",
    service: "svc",
    replica: "svc.0",
    reason: "why",
  });
  const far = new MpError("handler_failed", "no", { service: "other", replica: "other.3" });
  assertStrictEquals(await refusal(responderOf(() => Promise.reject(far))), far);
  const half = new MpError("deadline_exceeded", "late", { replica: "svc.scatter.3" });
  const named = await refusal(responderOf(() => Promise.reject(half)));
  assertEquals([named.service, named.replica], ["svc", "svc.scatter.3"]);
  assertEquals(made.faults, []);
});

Deno.test("responder() refuses a result that is not JSON, and names the place", async () => {
  const results: [unknown, string][] = [
    [{ list: [1, NaN] }, ".list[1] (NaN)"],
    [() => 1, "the value (function)"],
    [{ parts: [Promise.resolve(1)] }, ".parts[0] (a Promise)"],
  ];
  for (const [result, place] of results) {
    for (const handler of [() => result, () => Promise.resolve(result)]) {
      const error = await refusal(responderOf(handler));
      assertEquals(error.code, "not_json");
      assertEquals(error.message, `Cannot answer: in the handler's result, ${place} is not JSON`);
      assertEquals([error.service, error.replica], ["svc", "svc.0"]);
    }
  }
});

Deno.test("responder() tells undefined from null", async () => {
  assertEquals((await responderOf(() => {}).respond(Payload.of(1), contextOf())).text, "");
  assertEquals((await responderOf(() => null).respond(Payload.of(1), contextOf())).text, "null");
});

Deno.test("responder() routes a pattern's requests to its parts", async () => {
  const pattern = shard(4, (n: number) => n, (n: number) => n);
  const compute = partOf(4, (index, { request, payload, context }) => [
    index,
    request,
    payload.text,
    context.requestId,
  ]);
  assertEquals(await ask(responderOf(pattern, { compute }), 6), [2, 6, "6", "id"]);
});

Deno.test("responder() names the router in errors of its own, and the part in errors of parts", async () => {
  const pattern = shard(4, (n: number) => n, (n: number) => n);
  const noKey = await refusal(responderOf(pattern, { compute: partOf(4, () => 1) }), NaN);
  assertEquals([noKey.code, noKey.replica], ["invalid_shard_key", "svc.0"]);
  const far = new MpError("handler_failed", "no", { service: "svc", replica: "svc.compute.2" });
  const made = responderOf(pattern, { compute: partOf(4, () => Promise.reject(far)) });
  assertEquals((await refusal(made, 2)).replica, "svc.compute.2");
  // it was reported where it happened
  assertEquals(made.faults, []);
});

Deno.test("responder() ends the signal of the call with its handler", async () => {
  const hold = Promise.withResolvers<void>();
  const context = contextOf();
  const { respond } = responderOf(async (_request: unknown, { signal }: Context) => {
    await hold.promise;
    return signal.aborted;
  });
  const reply = respond(Payload.of(1), context);
  assertEquals(deadlines.size, 1);
  hold.resolve();
  assertEquals((await reply).value, false);
  assertEquals(deadlines.size, 0);
  deadlines.settle();
});
