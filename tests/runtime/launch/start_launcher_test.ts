import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { scatter } from "../../../patterns/scatter.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { AppLock } from "../../../runtime/launch/app_lock.ts";
import { claimApp } from "../../../runtime/launch/claim_app.ts";
import { connectLauncher } from "../../../runtime/launch/connect_launcher.ts";
import type { DeployOrder, News } from "../../../runtime/launch/launcher.ts";
import { type LocalLauncher, startLauncher } from "../../../runtime/launch/start_launcher.ts";
import { stateFolder } from "../../../runtime/launch/state.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import type { Widths } from "../../../runtime/topology/walk.ts";
import { planOf } from "../cli/sample_plan.ts";
import { scriptedDriver } from "./scripted_driver.ts";

/** Two routers or more over leaves, and a keyed part nowhere. */
const planWith = (widths: Widths = {}): Plan =>
  planOf((api) => {
    api.service("s", scatter(3, () => 1, () => 2), { replicas: 2 }).expose = true;
  }, { app: "app", widths });

const orderWith = (more: Partial<DeployOrder> = {}): DeployOrder => ({
  version: "1.0.0",
  driver: "scripted",
  plan: planWith(more.widths),
  bundle: { code: "export default 1;", map: "{}", hash: "h", script: "/scripts/app.ts" },
  env: {},
  cwd: "/",
  widths: {},
  ...more,
});

async function sandbox() {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const state = stateFolder(join(folder, "mp"));
  const driver = scriptedDriver();
  const started: LocalLauncher[] = [];
  return {
    state,
    driver,
    async start(
      order = orderWith(),
      signal?: AbortSignal,
      held?: AppLock,
    ): Promise<LocalLauncher> {
      const lock = held ?? (await claimApp(state, "app", new AbortController().signal)).lock;
      assert(lock);
      const launcher = await startLauncher(order, {
        state,
        lock,
        driver,
        command: () => ({ command: "deno", args: [] }),
        replan: (_, widths) => Promise.resolve(planWith(widths)),
        signal,
      });
      started.push(launcher);
      return launcher;
    },
    async remote() {
      const record = await state.read("app");
      assert(record);
      return await connectLauncher(record);
    },
    async [Symbol.asyncDispose]() {
      for (const launcher of started) {
        await launcher.delete().catch(() => {});
        await launcher.ended;
      }
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("startLauncher() launches, and can be found by its record", async () => {
  await using at = await sandbox();
  const launcher = await at.start();
  await launcher.ready();
  assertEquals(at.driver.done, ["launch 6", "ready"]);
  assertEquals(at.driver.launchOptions?.logs, join(at.state.folder("app"), "logs"));
  const record = await at.state.read("app");
  assertEquals(record?.handle, {
    app: "app",
    driver: "scripted",
    script: "/scripts/app.ts",
    revision: planWith().revision,
    doors: [{ address: "tcp:127.0.0.1:3000", methods: ["s"] }],
    created: record!.handle.created,
  });
  assertEquals(record?.launcher.pid, Deno.pid);
});

Deno.test("delete() stops everything, and leaves the way free for the next", async () => {
  await using at = await sandbox();
  const launcher = await at.start();
  const { sockets } = (await at.state.read("app"))!;
  assert(sockets === "" || await exists(sockets));
  await Promise.all([launcher.delete(), launcher.delete()]);
  await launcher.ended;
  assertEquals(at.driver.done, ["launch 6", "delete"]);
  assertEquals(await at.state.read("app"), undefined);
  if (sockets) assertEquals(await exists(sockets), false);
  assertEquals(await exists(join(at.state.folder("app"), "trees")), false);
  const { lock } = await claimApp(at.state, "app", new AbortController().signal);
  assert(lock);
  lock.release();
});

Deno.test("startLauncher() leaves nothing when the launch fails", async () => {
  await using at = await sandbox();
  at.driver.fail("launch", new MpError("launch_failed", "no"));
  await assertRejects(() => at.start(), MpError, "no");
  assertEquals(await at.state.read("app"), undefined);
  const { lock } = await claimApp(at.state, "app", new AbortController().signal);
  assert(lock);
  lock.release();
});

Deno.test("startLauncher() leaves not even a folder of an app that has never run", async () => {
  await using at = await sandbox();
  at.driver.fail("assign", new MpError("port_in_use", "no"));
  await assertRejects(() => at.start(), MpError, "no");
  assertEquals(await at.state.apps(), []);
  // of one that has, its last record and its logs stay
  const launcher = await at.start();
  await launcher.delete();
  await launcher.ended;
  at.driver.fail("assign", new MpError("port_in_use", "no"));
  await assertRejects(() => at.start(), MpError, "no");
  assertEquals((await at.state.listEnded()).map(({ handle }) => handle.app), ["app"]);
});

Deno.test("startLauncher() leaves nothing when it is stopped before it launches", async () => {
  await using at = await sandbox();
  await assertRejects(
    () => at.start(orderWith(), AbortSignal.abort(new Error("stop"))),
    Error,
    "stop",
  );
  assertEquals(at.driver.done, []);
  assertEquals(await at.state.read("app"), undefined);
});

Deno.test("claimApp() gives one of many the lock, and the others its launcher", async () => {
  await using at = await sandbox();
  const { signal } = new AbortController();
  const claims = await Promise.all([1, 2, 3, 4].map(async () => {
    const { lock, running } = await claimApp(at.state, "app", signal);
    if (!lock) {
      using launcher = running.launcher;
      return (await launcher.status()).handle.app;
    }
    await at.start(orderWith(), undefined, lock);
    return "launched";
  }));
  assertEquals(claims.sort(), ["app", "app", "app", "launched"]);
  assertEquals(at.driver.done, ["launch 6"]);
});

Deno.test("claimApp() waits for a launcher that is about to end", async () => {
  await using at = await sandbox();
  const launcher = await at.start();
  const hold = Promise.withResolvers<void>();
  at.driver.hold("delete", hold.promise);
  launcher.delete();
  const claiming = claimApp(at.state, "app", new AbortController().signal);
  hold.resolve();
  const { lock } = await claiming;
  assert(lock);
  lock.release();
});

Deno.test("claimApp() stops waiting when it is told to", async () => {
  await using at = await sandbox();
  const launcher = await at.start();
  const hold = Promise.withResolvers<void>();
  at.driver.hold("delete", hold.promise);
  const deleting = launcher.delete();
  const controller = new AbortController();
  const claiming = claimApp(at.state, "app", controller.signal);
  controller.abort(new Error("enough"));
  await assertRejects(() => claiming, Error, "enough");
  hold.resolve();
  await deleting;
});

Deno.test("an update that comes before the launch waits for it", async () => {
  await using at = await sandbox();
  const hold = Promise.withResolvers<void>();
  at.driver.hold("launch", hold.promise);
  const { lock } = await claimApp(at.state, "app", new AbortController().signal);
  const starting = at.start(orderWith(), undefined, lock);
  const { running } = await claimApp(at.state, "app", new AbortController().signal);
  assert(running);
  using launcher = running.launcher;
  const updating = launcher.update(orderWith({ env: { A: "1" } }));
  await launcher.status();
  hold.resolve();
  await starting;
  assertEquals((await updating).how, "new tree");
  assertEquals(at.driver.done, ["launch 6", "update 6"]);
});

Deno.test("update() by another process scales in place, or starts a new tree", async () => {
  await using at = await sandbox();
  await at.start();
  using launcher = await at.remote();
  assertEquals((await launcher.update(orderWith())).how, "unchanged");
  assertEquals((await launcher.update(orderWith({ widths: { "s.gather": 4 } }))).how, "in place");
  assertEquals((await launcher.update(orderWith({ env: { A: "1" } }))).how, "new tree");
  assertEquals(at.driver.done, ["launch 6", "scale 8", "update 6"]);
  assertEquals(at.driver.assigned[1]?.scales?.doors[0]?.address, "tcp:127.0.0.1:3000");
  assertEquals(at.driver.assigned[2]?.replaces?.doors[0]?.address, "tcp:127.0.0.1:3000");
});

Deno.test("update() keeps the port that was picked, and takes another that is asked for", async () => {
  await using at = await sandbox();
  await at.start(orderWith({ port: 0 }));
  using launcher = await at.remote();
  await launcher.update(orderWith({ env: { A: "1" } }));
  await launcher.update(orderWith({ env: { A: "1" }, port: 0 }));
  const { handle } = await launcher.update(
    orderWith({ env: { A: "1" }, port: 5000, host: "0.0.0.0" }),
  );
  assertEquals(at.driver.assigned.map(({ port }) => port), [0, 4321, 5000]);
  assertEquals(handle.doors[0]?.address, "tcp:0.0.0.0:5000");
  assertEquals((await at.state.read("app"))?.handle.doors, handle.doors);
});

Deno.test("update() that fails leaves what ran, and says why in full", async () => {
  await using at = await sandbox();
  await at.start();
  using launcher = await at.remote();
  at.driver.fail("update", new MpError("crash_loop", "it crashes", { where: "s.0", next: "Look" }));
  const error = await assertRejects(() => launcher.update(orderWith({ env: { A: "1" } })));
  assertInstanceOf(error, MpError);
  const { code, message, where, next } = error;
  assertEquals({ code, message, where, next }, {
    code: "crash_loop",
    message: "it crashes",
    where: "s.0",
    next: "Look",
  });
  assertEquals((await launcher.update(orderWith())).how, "unchanged");
  assertEquals((await launcher.update(orderWith({ env: { A: "1" } }))).how, "new tree");
});

Deno.test("scale() changes counts until the app is run again, and a watch keeps them", async () => {
  await using at = await sandbox();
  await at.start();
  using launcher = await at.remote();
  const scaled = await launcher.scale({ path: "s.gather", replicas: 5, rehash: false });
  assertEquals(scaled.how, "in place");
  assertEquals(scaled.plan.nodes[0]?.replicas, 5);
  assertEquals(
    (await launcher.scale({ path: "s.scatter", replicas: 4, rehash: false })).how,
    "new tree",
  );
  const watched = await launcher.update(orderWith({ env: { A: "1" }, keepScale: true }));
  assertEquals(watched.plan.nodes.map(({ replicas }) => replicas), [5, 4, 1]);
  const again = await launcher.update(orderWith({ env: { A: "1" } }));
  assertEquals(again.plan.nodes.map(({ replicas }) => replicas), [2, 3, 1]);
});

Deno.test("restart() restarts what is named", async () => {
  await using at = await sandbox();
  await at.start();
  using launcher = await at.remote();
  await launcher.restart([{ path: "s.scatter", index: 2 }]);
  assertEquals(at.driver.done.at(-1), "restart s.scatter.2");
});

Deno.test("delete() by another process ends the launcher, and answers first", async () => {
  await using at = await sandbox();
  const local = await at.start();
  using launcher = await at.remote();
  await launcher.delete();
  await launcher.closed;
  await local.ended;
  assertEquals(local.isDeleted, true);
});

Deno.test("delete() does not wait for an update that is under way", async () => {
  await using at = await sandbox();
  const local = await at.start();
  using launcher = await at.remote();
  const hold = Promise.withResolvers<void>();
  at.driver.hold("update", hold.promise);
  const rejected = assertRejects(() => launcher.update(orderWith({ env: { A: "1" } })), MpError);
  for await (const { kind } of local.news(new AbortController().signal)) {
    if (kind === "updating") break;
  }
  await launcher.delete();
  at.driver.fail("update", new MpError("interrupted", "it was stopped"));
  hold.resolve();
  await rejected;
});

Deno.test("news() tells other processes everything, in order, until the end", async () => {
  await using at = await sandbox();
  const local = await at.start();
  using launcher = await at.remote();
  const news = launcher.news(new AbortController().signal);
  await launcher.status(); // what was asked before this has begun
  for (let i = 0; i < 2000; i++) {
    at.driver.lines.put({
      path: "s.scatter",
      index: 0,
      time: i,
      stream: "stdout",
      text: `line ${i}`,
    });
  }
  await launcher.update(orderWith({ env: { A: "1" } }));
  local.delete();
  const got: string[] = [];
  for await (const item of news) got.push(describe(item));
  assertEquals(got.slice(0, 2000), Array.from({ length: 2000 }, (_, i) => `line ${i}`));
  assertEquals(got.slice(2000), ["updating", "updated", "stopping", "stopped"]);
});

function describe(news: News): string {
  return news.kind === "line" ? news.line.text : news.kind;
}

Deno.test("news() ends when its reader leaves, and the launcher goes on", async () => {
  await using at = await sandbox();
  await at.start();
  using launcher = await at.remote();
  const controller = new AbortController();
  const reading = Array.fromAsync(launcher.news(controller.signal));
  await launcher.status();
  controller.abort();
  assertEquals(await reading, []);
  assertEquals((await launcher.status()).replicas.length, 6);
});

Deno.test("a caller without the secret gets nothing", async () => {
  await using at = await sandbox();
  await at.start();
  const record = (await at.state.read("app"))!;
  using launcher = await connectLauncher({
    ...record,
    control: { ...record.control, secret: "x" },
  });
  const error = await assertRejects(() => launcher.status());
  assertInstanceOf(error, MpError);
  assertEquals(error.code, "unauthorized");
});

Deno.test("connectLauncher() says which process does not answer", async () => {
  await using at = await sandbox();
  await at.start();
  const record = (await at.state.read("app"))!;
  const control = { address: "unix:/nowhere/at/all", secret: "" } as const;
  const error = await assertRejects(() => connectLauncher({ ...record, control }));
  assertInstanceOf(error, MpError);
  assertEquals(error.code, "launcher_unreachable");
  assertEquals(error.next, `It is process ${Deno.pid}; end that, and run the script again`);
});
