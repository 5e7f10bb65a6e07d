import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { readLogs } from "../../../runtime/launch/read_logs.ts";
import { exists, launch, listenTo, plan, until } from "./fixtures.ts";

const quick = { firstDelay: 10, longestDelay: 50, settled: 60_000, busyAfter: 50, crashLoop: 3 };
const scatter = plan({
  nodes: [
    { path: "svc.gather", needs: ["svc.scatter"] },
    { path: "svc.scatter", replicas: 3 },
  ],
});

Deno.test("launch() starts every replica and says when all are ready", async () => {
  await using world = await launch(scatter, { render: { cwd: "/", env: { GREETING: "hello" } } });
  const { deployment } = world;
  const heard = listenTo(deployment);
  await deployment.ready();
  const status = deployment.status();
  assertEquals(
    status.map(({ path, index, state, tree, restarts }) => [path, index, state, tree, restarts]),
    [
      ["svc.gather", 0, "ready", 1, 0],
      ["svc.scatter", 0, "ready", 1, 0],
      ["svc.scatter", 1, "ready", 1, 0],
      ["svc.scatter", 2, "ready", 1, 0],
    ],
  );
  assert(status.every(({ pid, since }) => pid !== undefined && since !== undefined));
  await Promise.all(
    status.map(({ path, index }) =>
      heard.line((line) =>
        line.path === path && line.index === index && line.text === "ready in / with hello"
      )
    ),
  );
});

Deno.test("launch() tells the callers of a replica that it is up, and nobody else", async () => {
  await using world = await launch(scatter);
  const { deployment } = world;
  const heard = listenTo(deployment);
  await deployment.ready();
  const { pid } = deployment.status().find(({ path }) => path === "svc.scatter")!;
  Deno.kill(pid!, "SIGKILL");
  await heard.line(({ path, text }) => path === "svc.gather" && text === "up svc.scatter.0");
  await until(deployment, (all) => all.every(({ state }) => state === "ready"));
  await deployment.delete();
  assertEquals(
    heard.lines.filter(({ path, text }) => path === "svc.scatter" && text.startsWith("up svc.s")),
    [],
  );
});

Deno.test("a replica that is killed comes back", async () => {
  await using world = await launch(scatter);
  const { deployment } = world;
  await deployment.ready();
  const before = deployment.status()[2]!;
  Deno.kill(before.pid!, "SIGKILL");
  await until(deployment, (all) => all[2]!.state !== "ready");
  const [, , after] = await until(deployment, (all) => all[2]!.state === "ready");
  assertEquals(after!.restarts, 1);
  assertEquals(after!.lastExit, "killed by SIGKILL");
  assert(after!.pid !== before.pid);
});

Deno.test("a replica that fails a few times is started until it stays", async () => {
  await using world = await launch(plan({ nodes: [{ path: "a", env: { FAKE_CRASHES: "2" } }] }), {
    driver: { policy: quick },
  });
  await world.deployment.ready();
  const { state, restarts, lastExit } = world.deployment.status()[0]!;
  assertEquals([state, restarts, lastExit], ["ready", 2, "exited with 3"]);
});

Deno.test("a crash loop fails the launch, says why, and leaves nothing", async () => {
  await using world = await launch(
    plan({ nodes: [{ path: "good" }, { path: "bad", env: { FAKE_CRASHES: "99" } }] }),
    { driver: { policy: quick } },
  );
  const { deployment } = world;
  const error = await assertRejects(() => deployment.ready(), MpError);
  assertEquals(error.code, "crash_loop");
  assertEquals(error.replica, "bad.0");
  assertEquals(
    error.message,
    "Cannot keep bad.0 running: exited with 3, 3 times in a row\n  about to fail\n  nothing helps",
  );
  assertEquals(deployment.status(), []);
  await assertRejects(() => Deno.stat(deployment.book.folder!), Deno.errors.NotFound);
});

Deno.test("a failure that would happen again fails the launch at once", async () => {
  const failure = {
    code: "revision_mismatch",
    message: "Cannot start a.0: it makes another revision",
    next: "Look at the clock",
    fatal: true,
  };
  await using world = await launch(
    plan({ nodes: [{ path: "a", env: { FAKE_FAILS: JSON.stringify(failure) } }] }),
  );
  const error = await assertRejects(() => world.deployment.ready(), MpError);
  assertEquals([error.code, error.message, error.next, error.replica], [
    failure.code,
    failure.message,
    failure.next,
    "a.0",
  ]);
});

Deno.test("a program that cannot be started fails the launch", async () => {
  await using world = await launch(plan({ nodes: [{ path: "a" }] }), {
    driver: { policy: quick },
    render: { command: { command: "/no/such/program", args: [] } },
  });
  const error = await assertRejects(() => world.deployment.ready(), MpError);
  assertEquals(error.code, "crash_loop");
  assertStringIncludes(error.message, "Cannot keep a.0 running: cannot be started: ");
});

Deno.test("a replica in a crash loop after the launch is named, and tried again", async () => {
  await using world = await launch(plan({ nodes: [{ path: "a" }, { path: "b" }] }), {
    driver: { policy: { ...quick, crashLoop: 2 } },
  });
  const { deployment } = world;
  await deployment.ready();
  Deno.kill(deployment.status()[0]!.pid!, "SIGKILL");
  await until(deployment, ([a]) => a!.state === "ready" && a!.restarts === 1);
  Deno.kill(deployment.status()[0]!.pid!, "SIGKILL");
  const [a] = await until(deployment, ([a]) => a!.state === "crash loop");
  assertEquals(a!.message, "Cannot keep a.0 running: killed by SIGKILL, 2 times in a row");
  await until(deployment, ([a, b]) => a!.state === "ready" && b!.state === "ready");
});

Deno.test("a replica that computes is busy, and not dead", async () => {
  await using world = await launch(
    plan({ nodes: [{ path: "a" }], doors: [{ port: null, node: "a" }] }),
    { driver: { policy: quick } },
  );
  const { deployment, port } = world;
  await deployment.ready();
  const computing = fetch(`http://127.0.0.1:${port}/compute`).then((response) => response.text());
  await until(deployment, ([a]) => a!.state === "busy");
  assertEquals(await computing, "r1");
  const [a] = await until(deployment, ([a]) => a!.state === "ready");
  assertEquals(a!.restarts, 0);
});

Deno.test("a replica that is blocked for longer than its stall limit is killed and started again", async () => {
  await using world = await launch(
    plan({
      nodes: [{ path: "a", health: { stallLimit: 400 } }],
      doors: [{ port: null, node: "a" }],
    }),
    { driver: { policy: quick } },
  );
  const { deployment, port } = world;
  await deployment.ready();
  const hanging = fetch(`http://127.0.0.1:${port}/spin`).catch(() => "lost");
  const [stalled] = await until(deployment, ([a]) => a!.state === "stalled");
  assertStringIncludes(stalled!.message!, "its event loop was blocked for ");
  assertEquals(await hanging, "lost");
  const [a] = await until(deployment, ([a]) => a!.state === "ready");
  assertEquals(a!.restarts, 1);
  assertStringIncludes(a!.lastExit!, "stalled: its event loop was blocked");
});

Deno.test("a replica that is blocked before it is ready is killed too", async () => {
  await using world = await launch(
    plan({ nodes: [{ path: "a", env: { FAKE_SPINS: "" }, health: { stallLimit: 300 } }] }),
    { driver: { policy: { ...quick, crashLoop: 1 } } },
  );
  const error = await assertRejects(() => world.deployment.ready(), MpError);
  assertStringIncludes(error.message, "Cannot keep a.0 running: stalled: ");
});

Deno.test("restart() replaces one process, and says when it is ready", async () => {
  await using world = await launch(scatter);
  const { deployment } = world;
  await deployment.ready();
  const before = deployment.status();
  await deployment.restart({ path: "svc.scatter", index: 1 });
  const after = deployment.status();
  assertEquals(after.map(({ restarts, state }) => [restarts, state]), [
    [0, "ready"],
    [0, "ready"],
    [1, "ready"],
    [0, "ready"],
  ]);
  assertEquals(after[2]!.lastExit, "exited with 0");
  assertEquals(after.filter(({ pid }, i) => pid !== before[i]!.pid).length, 1);
  const error = await assertRejects(() => deployment.restart({ path: "x", index: 1 }), MpError);
  assertEquals(error.message, "Cannot restart x.1: there is no such replica");
});

Deno.test("delete() lets what has come be answered, leaves nothing, and can be called again", async () => {
  await using world = await launch(
    plan({ nodes: [{ path: "a" }, { path: "b" }], doors: [{ port: null, node: "a" }] }),
  );
  const { deployment, port } = world;
  const heard = listenTo(deployment);
  await deployment.ready();
  const held = fetch(`http://127.0.0.1:${port}/hold`).then((response) => response.text());
  await heard.line(({ text }) => text === "holding");
  const pids = deployment.status().map(({ pid }) => pid!);
  await Promise.all([deployment.delete(), deployment.delete()]);
  assertEquals(await held, "r1");
  assertEquals(pids.map(exists), [false, false]);
  assertEquals(deployment.status(), []);
  await assertRejects(() => Deno.stat(deployment.book.folder!), Deno.errors.NotFound);
  await deployment.delete();
  const error = await assertRejects(() => deployment.restart({ path: "a", index: 0 }), MpError);
  assertEquals(error.code, "interrupted");
});

Deno.test("delete() kills what does not end within its grace", async () => {
  await using world = await launch(plan({ nodes: [{ path: "a", env: { FAKE_DRAIN: "never" } }] }), {
    launch: { grace: 50 },
  });
  const { deployment } = world;
  await deployment.ready();
  const events = Array.fromAsync(deployment.events());
  await deployment.delete();
  const last = (await events).at(-1)!;
  assertEquals([last.state, last.lastExit], ["stopped", "killed by SIGKILL"]);
});

Deno.test("delete() during a launch ends it", async () => {
  await using world = await launch(
    plan({ nodes: [{ path: "a", env: { FAKE_NEVER_READY: "1" } }, { path: "b" }] }),
  );
  const { deployment } = world;
  const ready = assertRejects(() => deployment.ready(), MpError);
  await until(deployment, (all) => all[1]!.state === "ready");
  await deployment.delete();
  assertEquals((await ready).code, "interrupted");
});

Deno.test("launch() stops at once when its signal aborts before all are ready", async () => {
  const stop = new AbortController();
  await using world = await launch(
    plan({ nodes: [{ path: "a", env: { FAKE_NEVER_READY: "1" } }, { path: "b" }] }),
    { launch: { signal: stop.signal } },
  );
  const { deployment } = world;
  await until(deployment, (all) => all[1]!.state === "ready");
  const pids = deployment.status().map(({ pid }) => pid!);
  stop.abort();
  const error = await assertRejects(() => deployment.ready(), MpError);
  assertEquals(error.code, "interrupted");
  assertEquals(pids.map(exists), [false, false]);
});

Deno.test("ready() stops waiting when its signal aborts, and the launch goes on", async () => {
  await using world = await launch(plan({ nodes: [{ path: "a" }] }));
  await assertRejects(
    () => world.deployment.ready(AbortSignal.abort(new Error("enough"))),
    Error,
    "enough",
  );
  await world.deployment.ready();
});

Deno.test("the lines of all replicas are kept, and told", async () => {
  await using world = await launch(scatter);
  const { deployment, logs } = world;
  const heard = listenTo(deployment);
  await deployment.ready();
  await deployment.delete();
  const kept = await Array.fromAsync(readLogs(logs));
  const show = ({ path, index, stream, text }: typeof kept[number]) =>
    `${path}.${index} ${stream} ${text}`;
  assertEquals(kept.map(show).sort(), heard.lines.map(show).sort());
  assert(kept.some(({ path, text }) => path === "svc.gather" && text.startsWith("ready in ")));
});

Deno.test("a folder for logs that cannot be written is one warning, and stops nothing", async () => {
  const warnings: MpError[] = [];
  await using world = await launch(scatter, {
    launch: { logs: "/dev/null/logs", warn: (warning) => void warnings.push(warning) },
  });
  await world.deployment.ready();
  await world.deployment.delete();
  assertEquals(warnings.map(({ code }) => code), ["state_unwritable"]);
  assertStringIncludes(warnings[0]!.message, "Cannot keep logs in /dev/null/logs: ");
});

Deno.test("a process that does not hold the secret is no replica", async () => {
  await using world = await launch(
    plan({ nodes: [{ path: "a", env: { FAKE_NEVER_READY: "1" } }] }),
  );
  const { deployment } = world;
  const heard = listenTo(deployment);
  await heard.line(({ text }) => text.startsWith("ready in"));
  const conn = await Deno.connect({ transport: "unix", path: `${deployment.book.folder}/s` });
  const hello = { replica: "a.0", pid: deployment.status()[0]!.pid, secret: "guessed" };
  await conn.write(new TextEncoder().encode(`nhello ${JSON.stringify(hello)}\nnready {}\n`));
  assertEquals(await conn.read(new Uint8Array(1)), null);
  conn.close();
  assertEquals(deployment.status()[0]!.state, "starting");
});
