import { assertEquals, assertStringIncludes } from "@std/assert";
import { runView } from "../../../runtime/cli/run_view.ts";
import type {
  DeploymentHandle,
  ReplicaState,
  ReplicaStatus,
} from "../../../runtime/launch/driver.ts";
import type { News } from "../../../runtime/launch/launcher.ts";
import { memoryOutput } from "./memory_output.ts";
import { histogramPlan, planOf } from "./sample_plan.ts";

const pair = planOf((api) => {
  api.service("pair", () => 1, { replicas: 2 }).expose = true;
}, { app: "pair" });

const handle: DeploymentHandle = {
  app: "pair",
  driver: "process",
  script: "/pair.ts",
  revision: pair.revision,
  doors: [{ address: "tcp:127.0.0.1:3000", methods: ["pair"] }],
  created: "2025-01-31T12:00:00Z",
};

const status = (path: string, index: number, state: ReplicaState, more = {}): ReplicaStatus => ({
  path,
  index,
  state,
  tree: 1,
  restarts: 0,
  ...more,
});
const replica = (...args: Parameters<typeof status>): News => ({
  kind: "replica",
  event: { ...status(...args), time: 0 },
});
const line = (path: string, index: number, text: string, stream: "stdout" | "stderr"): News => ({
  kind: "line",
  line: { path, index, text, stream, time: 0 },
});

Deno.test("runView() without a terminal says once when a path is ready, then where it listens", () => {
  const { output, all } = memoryOutput();
  const view = runView(pair, output);
  for (const state of ["starting", "ready"] as const) {
    for (const index of [0, 1]) view.news(replica("pair", index, state));
  }
  view.news(replica("ingress", 0, "ready"));
  view.ready(handle);
  view.close();
  assertEquals(
    all(),
    "pair: 2 ready\ningress: 1 ready\nlistening on http://127.0.0.1:3000: pair\n",
  );
});

Deno.test("runView() puts the replica before each of its lines, and keeps the streams apart", () => {
  const { output, stdout, stderr } = memoryOutput();
  const view = runView(histogramPlan, output);
  view.news(line("histogram.gather", 0, "hello", "stdout"));
  view.news(line("histogram.scatter", 3, "oh", "stderr"));
  view.close();
  assertEquals(stdout(), "histogram.gather[0]  | hello\n");
  assertEquals(stderr(), "histogram.scatter[3] | oh\n");
});

Deno.test("runView() on a terminal draws a tree in place", () => {
  const { output, all } = memoryOutput({ terminal: true });
  const view = runView(pair, output);
  view.begin([status("pair", 0, "starting"), status("pair", 1, "starting")]);
  view.news(replica("pair", 0, "ready"));
  view.news(line("pair", 0, "up", "stdout"));
  view.news(replica("pair", 1, "ready"));
  view.news(replica("ingress", 0, "ready"));
  view.ready(handle);
  view.close();
  const frames = all();
  assertStringIncludes(frames, "pair  0/3 ready");
  assertStringIncludes(frames, "├─ pair     ⠋ 1/2");
  assertStringIncludes(frames, "pair[0]    | up\n");
  const [, end] = frames.split("✔ pair  3/3 ready");
  assertStringIncludes(end!, "├─ pair     ✔ 2/2\n└─ ingress  ✔ 1/1\n");
  assertStringIncludes(end!, "listening on http://127.0.0.1:3000: pair\n");
});

Deno.test("runView() on a small terminal draws no more lines than it has", () => {
  const many = planOf((api) => {
    for (let i = 0; i < 50; i++) api.service(`s${i}`, () => 1);
  });
  const { output, all } = memoryOutput({ terminal: true, rows: 10 });
  runView(many, output).close();
  assertEquals(all().split("\n").length - 1, 9);
  assertStringIncludes(all(), "… 43 more");
});

Deno.test("runView() warns of replicas in trouble, and tells when they are well again", () => {
  const { output, stderr } = memoryOutput();
  const view = runView(pair, output);
  view.ready(handle);
  const killed = { restarts: 1, lastExit: "killed by SIGKILL" };
  view.news(replica("pair", 1, "restarting", killed));
  view.news(replica("pair", 1, "restarting", { ...killed, pid: 5 }));
  view.news(replica("pair", 1, "ready", killed));
  view.news(replica("pair", 0, "restarting", { restarts: 0 }));
  view.news(replica("pair", 0, "crash loop", { restarts: 5, message: "it fails" }));
  view.close();
  assertEquals(
    stderr(),
    `warning: pair[1] is restarting (restart 1): killed by SIGKILL
pair[1] is ready again
pair[0] is restarting
warning: pair[0] is in a crash loop: it fails
`,
  );
});

Deno.test("runView() counts the new tree of an update anew", () => {
  const { output, all } = memoryOutput({ terminal: true });
  const view = runView(pair, output);
  view.begin([
    status("pair", 0, "ready"),
    status("pair", 1, "ready"),
    status("ingress", 0, "ready"),
  ]);
  view.ready(handle);
  view.news({ kind: "updating", plan: pair, how: "new tree" });
  const before = all().length;
  view.news(replica("pair", 0, "ready", { tree: 2 }));
  view.news(replica("pair", 0, "draining", { tree: 1 }));
  assertStringIncludes(all().slice(before), "pair  1/3 ready");
  view.news({ kind: "updated", outcome: { how: "new tree", handle, plan: pair } });
  assertStringIncludes(all(), 'Updated "pair": 3 replicas ready\n');
  view.close();
});

Deno.test("runView() tells why an update failed, unless its own command does", () => {
  const { output, stderr } = memoryOutput();
  const view = runView(pair, output);
  const failed: News = {
    kind: "update failed",
    error: { code: "crash_loop", message: "Cannot update", next: "See mp logs" },
  };
  view.ownUpdate = true;
  view.news(failed);
  assertEquals(stderr(), "");
  view.ownUpdate = false;
  view.news(failed);
  view.close();
  assertEquals(stderr(), "error: Cannot update\n  → See mp logs\n");
});

Deno.test("runView() warns when nobody can call", () => {
  const { output, stderr } = memoryOutput();
  const view = runView(pair, output);
  view.ready({ ...handle, doors: [] });
  view.close();
  assertStringIncludes(stderr(), "warning: Nothing is exposed");
});

Deno.test("runView() as JSON gives an event a line", () => {
  const { output, stdout, stderr } = memoryOutput({ json: true });
  const view = runView(pair, output);
  view.begin([status("pair", 0, "starting")]);
  view.news(replica("pair", 0, "ready"));
  view.news(line("pair", 0, "hello", "stdout"));
  view.ready(handle);
  view.news({ kind: "stopped" });
  view.close();
  const events = stdout().trim().split("\n").map((text) => JSON.parse(text));
  assertEquals(events.map(({ event, state, text, app }) => [event, state ?? text ?? app]), [
    ["replica", "starting"],
    ["replica", "ready"],
    ["line", "hello"],
    ["ready", "pair"],
    ["stopped", undefined],
  ]);
  assertEquals(stderr(), "");
});
