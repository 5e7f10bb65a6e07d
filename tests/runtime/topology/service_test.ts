import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { scatter } from "../../../patterns/scatter.ts";
import { shard } from "../../../patterns/shard.ts";
import { spread } from "../../../patterns/spread.ts";
import { boundApi } from "./bound_api.ts";

const leaf = (word: string) => word.length;
const sum = (parts: number[]) => parts.reduce((a, b) => a + b, 0);
const first = (word: string) => word;

Deno.test("Service.subservices are the router and the parts of its pattern, at their paths", () => {
  const { mp } = boundApi();
  const nested = mp.service("nested", shard(4, first, scatter(3, leaf, sum)));
  assertEquals(Object.keys(nested.subservices), ["shard", "compute"]);
  assertEquals(nested.subservices.shard.path, "nested.shard");
  assertEquals(nested.subservices.compute.path, "nested.compute");
  assertEquals(
    nested.subservices.compute.subservices.scatter.path,
    "nested.compute.scatter",
  );
  const handler = mp.service("handler", leaf);
  assertEquals(Object.keys(handler.subservices), []);
});

Deno.test("Service.subservices says which there are when another is asked for", () => {
  const { mp } = boundApi();
  const svc = mp.service("svc", scatter(2, leaf, sum));
  const other = svc.subservices as unknown as Record<string, unknown>;
  const error = assertThrows(
    () => other.leaf,
    MpError,
    'Cannot find subservice "leaf" of "svc": it has gather and scatter',
  );
  assertEquals(error.code, "topology_invalid");
  assertEquals(error.next, "Use subservices.gather or subservices.scatter");
  const none = mp.service("handler", leaf).subservices as unknown as Record<string, unknown>;
  assertThrows(() => none.gather, MpError, 'of "handler": it has none');
  // what asks any object is answered
  assertEquals(JSON.stringify(Object.keys(svc.subservices)), '["gather","scatter"]');
  assert(`${svc.subservices}`);
  assertThrows(() => (other.leaf = 1), TypeError);
});

Deno.test("Service.expose is that of its root, from the script, the service's options or the pattern's", () => {
  const { mp, topology } = boundApi();
  const pattern = scatter({ replicas: 2, leaf, gather: sum, expose: true });
  const byPattern = mp.service("a", pattern);
  assertEquals([byPattern.expose, byPattern.subservices.gather.expose], [true, true]);
  assertEquals(byPattern.subservices.scatter.expose, false);
  const byService = mp.service("b", pattern, { expose: false });
  assertEquals([byService.expose, byService.subservices.gather.expose], [false, false]);
  byService.subservices.gather.expose = { port: 81 };
  assertEquals(byService.expose, { port: 81 });
  byService.expose = true;
  assertEquals([byService.expose, { ...byService.subservices.gather }.expose], [true, true]);
  assertEquals([...topology.services.get("b")!.exposed], [["b.gather", true]]);
  const handler = mp.service("c", leaf);
  assertEquals(handler.expose, false);
  handler.expose = true;
  assertEquals([...topology.services.get("c")!.exposed], [["c", true]]);
});

Deno.test("Subservice.expose of a nested pattern is that of the pattern's options", () => {
  const { mp } = boundApi();
  const inner = scatter({ replicas: 2, leaf, gather: sum, expose: { port: 90 } });
  const svc = mp.service("svc", spread(3, inner));
  assertEquals(svc.subservices.compute.expose, { port: 90 });
  assertEquals(svc.subservices.compute.subservices.scatter.expose, false);
  svc.subservices.compute.expose = false;
  assertEquals(svc.subservices.compute.expose, false);
});

Deno.test("Subservice.expose refuses what is no exposure", () => {
  const { mp } = boundApi();
  const svc = mp.service("svc", scatter(2, leaf, sum));
  assertThrows(
    () => svc.subservices.gather.expose = "yes" as unknown as boolean,
    TypeError,
    'Cannot expose "svc.gather": give true, false or { port }',
  );
  assertThrows(() => svc.expose = { port: 0 }, RangeError, "port 0");
  assertEquals(svc.expose, false);
});

Deno.test("Service.call() hands request and options to the host, and decodes what comes back", async () => {
  const { signal } = new AbortController();
  const { mp, calls } = boundApi();
  const svc = mp.service("svc", leaf);
  const error = await assertRejects(() => svc.call("word", { timeout: 5, signal }));
  assertEquals((error as Error).message, "nothing answers");
  assertEquals(calls.length, 1);
  const [{ service, payload, options }] = calls as [typeof calls[0]];
  assertEquals([service, payload.text, options.timeout], ["svc", '"word"', 5]);
  assert(options.signal === signal);

  const answering = boundApi({ call: () => Promise.resolve(Payload.ofText("[7]")) });
  assertEquals(await answering.mp.service("svc", (n: number) => [n]).call(7), [7]);
  const silent = boundApi({ call: () => Promise.resolve(Payload.ofText("")) });
  assertEquals(await silent.mp.service("svc", () => {}).call(), undefined);
});

Deno.test("Service.call() takes the request as it is now", async () => {
  const { mp, calls } = boundApi();
  const request = { list: [1] };
  const reply = mp.service("svc", (q: { list: number[] }) => q).call(request);
  request.list.push(2);
  await assertRejects(() => reply);
  assertEquals(calls[0]!.payload.text, '{"list":[1]}');
});

Deno.test("Service.call() refuses a request that is not JSON, and a timeout that is none", async () => {
  const { mp, calls } = boundApi();
  const svc = mp.service("svc", (request: unknown) => request);
  const error = await assertRejects(
    () => svc.call({ list: [NaN] }),
    MpError,
    'Cannot call "svc": in the request, .list[0] (NaN) is not JSON',
  );
  assertEquals(error.code, "not_json");
  for (const timeout of [0, -1, NaN, "5" as unknown as number, null as unknown as number]) {
    await assertRejects(() => svc.call(1, { timeout }), RangeError, `timeout ${timeout}`);
  }
  assertEquals(calls.length, 0);
});
