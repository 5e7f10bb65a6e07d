import { assertEquals } from "@std/assert";
import { BUCKETS, MethodMetrics, RpcMetrics } from "../../../runtime/rpc/metrics.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { serve, service, serviceOf } from "./served.ts";

const call = (method: string, id = 1) => ({ jsonrpc: "2.0", id, method });

Deno.test("MethodMetrics counts each answer in the bucket of its latency", async () => {
  using clock = new VirtualClock();
  const metrics = new MethodMetrics("echo");
  const latencies = [0, 0.25, 0.3, 5, 30_000, 30_001];
  for (const latency of latencies) {
    const arrived = performance.now();
    metrics.begin();
    assertEquals(metrics.inFlight, 1);
    await clock.pass(latency);
    metrics.end(arrived);
  }
  assertEquals([metrics.inFlight, metrics.answered], [0, 6]);
  const expected = new Array(BUCKETS.length + 1).fill(0);
  for (const bound of [0.25, 0.25, 0.5, 5, 30_000]) expected[BUCKETS.indexOf(bound)]++;
  expected[BUCKETS.length]++;
  assertEquals(metrics.buckets, expected);
  assertEquals(Math.round(metrics.total), 60_007);
});

Deno.test("RpcMetrics counts each call of a batch, and errors by code", async () => {
  const metrics = new RpcMetrics();
  await using served = serve({ metrics });
  await served.call([call("echo"), call("echo"), call("fails"), call("late"), call("notJson")]);
  await served.call({ jsonrpc: "2.0", method: "fails" });
  await served.call(call("rpc.discover"));
  const counted = [...metrics].map(({ name, answered, errors }) =>
    [name, answered, Object.fromEntries(errors)] as const
  );
  assertEquals(counted, [
    ["echo", 2, {}],
    ["later", 0, {}],
    ["nothing", 0, {}],
    ["fails", 2, { handler_failed: 2 }],
    ["late", 1, { deadline_exceeded: 1 }],
    ["notJson", 1, { not_json: 1 }],
    ["rpc.discover", 1, {}],
  ]);
  assertEquals(metrics.inFlight, 0);
  for (const method of metrics) {
    assertEquals(method.buckets.reduce((sum, count) => sum + count), method.answered);
  }
});

Deno.test("RpcMetrics counts calls that are being answered", async () => {
  const arrived = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const wait = () => (arrived.resolve(), leave.promise);
  const metrics = new RpcMetrics();
  await using served = serve({ metrics, service: serviceOf({ wait }) });
  const reply = served.call(call("wait"));
  await arrived.promise;
  assertEquals(metrics.inFlight, 1);
  leave.resolve();
  await reply;
  assertEquals(metrics.inFlight, 0);
});

Deno.test("RpcMetrics adds nothing for methods that callers make up", async () => {
  const metrics = new RpcMetrics();
  await using served = serve({ metrics });
  const names = [...metrics].map(({ name }) => name);
  await served.call(Array.from({ length: 100 }, (_, i) => call(`made-up-${i}`)));
  await served.call({ jsonrpc: "2.0", method: "made-up" });
  await served.call("{");
  await served.call([1]);
  await (await served.post("{}", { "content-type": "text/plain" })).body?.cancel();
  assertEquals([...metrics].map(({ name }) => name), names);
  assertEquals(Object.fromEntries(metrics.refused), {
    method_not_found: 101,
    parse_error: 1,
    invalid_request: 2,
  });
});

Deno.test("RpcMetrics can be shared by several endpoints", async () => {
  const metrics = new RpcMetrics();
  await using one = serve({ metrics });
  await using two = serve({ metrics, service: { ...service } });
  await one.call(call("echo"));
  await two.call(call("echo"));
  assertEquals(metrics.get("echo")?.answered, 2);
});
