import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { RpcMetrics } from "../../../runtime/rpc/metrics.ts";
import { needsProgram, testWith } from "../../support/needs.ts";
import { serve, type Served } from "./served.ts";

const call = (method: string) => ({ jsonrpc: "2.0", id: 1, method, params: [1] });

async function scrape(served: Served): Promise<string> {
  const response = await fetch(served.url + "metrics");
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("content-type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  return await response.text();
}

/** The samples of one metric: what is in its braces, and its value. */
function samples(text: string, metric: string): Record<string, number> {
  const found = text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (.*)$`, "gm"));
  return Object.fromEntries([...found].map(([, labels, value]) => [labels ?? "", Number(value)]));
}

Deno.test("prometheus() tells what was counted, each time anew", async () => {
  await using served = serve();
  await served.call([call("echo"), call("echo"), call("fails"), call("made-up")]);
  const first = await scrape(served);
  assertEquals(samples(first, "mp_rpc_requests_total")['method="echo"'], 2);
  assertEquals(samples(first, "mp_rpc_errors_total"), {
    'method="fails",code="handler_failed"': 1,
  });
  assertEquals(samples(first, "mp_rpc_refused_total"), { 'code="method_not_found"': 1 });
  await served.call(call("echo"));
  const second = await scrape(served);
  assertEquals(samples(second, "mp_rpc_requests_total")['method="echo"'], 3);
  assertEquals(samples(second, "mp_rpc_requests_in_flight")['method="echo"'], 0);
});

Deno.test("prometheus() tells what becomes of calls to other replicas, and of those there is no time for", async () => {
  const metrics = new RpcMetrics();
  await using served = serve({ metrics });
  const counters = metrics.part("s.compute");
  Object.assign(counters, { retries: 5, hedges: 4, hedgesWon: 3 });
  counters.leftOut.silent = 2;
  Object.assign(metrics, { shed: 7, queued: 1 });
  metrics.connections = () => ({ outbound: 3, inbound: 1 });
  metrics.doorConnections = () => 9;
  const text = await scrape(served);
  const path = 'path="s.compute"';
  assertEquals(samples(text, "mp_call_retries_total"), { [path]: 5 });
  assertEquals(samples(text, "mp_call_hedges_total"), { [path]: 4 });
  assertEquals(samples(text, "mp_call_hedges_won_total"), { [path]: 3 });
  assertEquals(samples(text, "mp_replica_ejections_total"), {
    [`${path},why="failing"`]: 0,
    [`${path},why="silent"`]: 2,
  });
  assertEquals(samples(text, "mp_calls_shed_total"), { "": 7 });
  assertEquals(samples(text, "mp_calls_queued"), { "": 1 });
  assertEquals(samples(text, "mp_connections"), {
    'direction="outbound"': 3,
    'direction="inbound"': 1,
  });
  assertEquals(samples(text, "mp_door_connections"), { "": 9 });
});

Deno.test("prometheus() has a cumulative histogram of each method's latency in seconds", async () => {
  await using served = serve();
  await served.call([call("echo"), call("later")]);
  const text = await scrape(served);
  const buckets = Object.entries(samples(text, "mp_rpc_request_duration_seconds_bucket"))
    .filter(([labels]) => labels.startsWith('method="echo"'));
  assertEquals(buckets[0]![0], 'method="echo",le="0.00025"');
  assertEquals(buckets.at(-1), ['method="echo",le="+Inf"', 1]);
  const counts = buckets.map(([, count]) => count);
  assertEquals(counts, counts.toSorted((a, b) => a - b));
  assertEquals(samples(text, "mp_rpc_request_duration_seconds_count")['method="echo"'], 1);
  const sum = samples(text, "mp_rpc_request_duration_seconds_sum")['method="echo"']!;
  assert(sum > 0 && sum < 10);
});

Deno.test("prometheus() tells about the process", async () => {
  await using served = serve();
  const text = await scrape(served);
  const { heapUsed } = Deno.memoryUsage();
  const heap = samples(text, "process_heap_bytes")[""]!;
  assert(heap > heapUsed / 4 && heap < heapUsed * 4);
  assert(samples(text, "process_resident_memory_bytes")[""]! > heap);
  assert(samples(text, "process_cpu_seconds_total")[""]! > 0);
  const start = samples(text, "process_start_time_seconds")[""]!;
  assert(start <= Date.now() / 1000 && start > Date.now() / 1000 - 86_400);
  if (Deno.build.os === "linux") assert(samples(text, "process_open_fds")[""]! > 3);
});

testWith(
  needsProgram("promtool", "apt-get install prometheus"),
  "prometheus() satisfies promtool",
  async () => {
    await using served = serve();
    await served.call([call("echo"), call("fails"), call("late"), call("made-up"), 1]);
    const text = await scrape(served);
    const promtool = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = promtool.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { code, stdout, stderr } = await promtool.output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals([code, said], [0, ""]);
  },
);

Deno.test("prom-client is not loaded before somebody asks for metrics", async () => {
  const app = import.meta.resolve("../../../runtime/rpc/app.ts");
  const script = `
    import { createRequire } from "node:module";
    import { rpcApp } from "${app}";
    const service = { methods: () => [], call() {}, ready: () => ({ ready: true, missing: [] }) };
    const { fetch } = rpcApp({ service });
    const { cache } = createRequire("${app}");
    const loaded = () => Object.keys(cache).some((file) => file.includes("prom-client"));
    const before = loaded();
    await fetch(new Request("http://localhost/metrics"));
    console.log(before, loaded());
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "-A",
        "--quiet",
        "--config",
        fromFileUrl(import.meta.resolve("../../../deno.json")),
      ],
      "data:text/javascript," + encodeURIComponent(script),
    ],
  }).output();
  const [said, failed] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(said, "false true\n", failed);
});
