// Doors: what they serve, and whose ports they are.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needsSystem, testWith } from "../support/needs.ts";
import { ask } from "./callers.ts";
import { APP, launch, script, urlOf } from "./launched.ts";

const hello = (word: string) => `
mp.service("hello", mp.spread(2, (name: string) => "${word}, " + name), { expose: true });
mp.service("fails", () => { throw new Error("no"); }, { expose: true });
`;

Deno.test("the door serves health, readiness, metrics and its methods", async () => {
  await using launched = await launch(hello("hello"));
  const { url } = launched;
  for (let i = 0; i < 3; i++) await launched.reply("hello", "Ada");
  await launched.reply("fails");
  for (const path of ["/healthz", "/readyz"]) {
    const response = await fetch(`${url}${path}`);
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assertStringIncludes(metrics, 'mp_rpc_requests_total{method="hello"} 3\n');
  assertMatch(metrics, /^mp_rpc_errors_total\{method="fails",code="handler_failed"\} 1$/m);
  const { result } = await launched.reply("rpc.discover");
  const names = result.methods.map(({ name }: { name: string }) => name);
  assertEquals(names.filter((name: string) => !name.startsWith("rpc.")), ["hello", "fails"]);
});

testWith(
  needsSystem("linux"),
  "a port that another app has is refused, and the other app goes on",
  async () => {
    await using launched = await launch(hello("hello"));
    const { sandbox, url } = launched;
    const { port } = new URL(url);
    const owner = (await launched.replicas()).find(({ path }) => path === "ingress")!.pid;
    const taken = `Cannot listen on 127.0.0.1:${port}: app "shop" (process ${owner}) does`;
    const other = await sandbox.write("other.ts", script(hello("hi")));
    for (const more of [[], ["-d", "--wait"]]) {
      const { code, stderr } = await sandbox.run(["run", other, "--port", port, ...more]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, taken);
    }
    // an update to a port that is taken leaves what ran where it was
    const { code, stdout, stderr } = await sandbox.run(
      ["run", other, "--port", "0", "-d", "--wait", "--json"],
    );
    assertEquals(code, 0, stderr);
    const there = urlOf(JSON.parse(stdout));
    const update = await sandbox.run(["run", other, "--port", port]);
    assertEquals(update.code, 1);
    assertStringIncludes(update.stderr, taken);
    for (let i = 0; i < 10; i++) {
      assertEquals((await ask(there, "hello", "Bob")).result, "hi, Bob");
      assertEquals((await ask(url, "hello", "Ada")).result, "hello, Ada");
    }
    assertEquals((await sandbox.run(["delete", "other"])).code, 0);
  },
);

testWith(
  needsSystem("linux"),
  "an update can move the door to another port, and the old one is closed",
  async () => {
    await using launched = await launch(hello("hello"));
    const { sandbox, url } = launched;
    // a port that was free a moment ago
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String(listener.addr.port);
    listener.close();
    const { code, stderr } = await sandbox.run(
      ["run", launched.script, "-d", "--wait", "--port", port],
    );
    assertEquals(code, 0, stderr);
    const moved = `http://127.0.0.1:${port}`;
    assertEquals((await ask(moved, "hello", "Ada")).result, "hello, Ada");
    await launched.told(({ state, tree }) => tree === 1 && state === "stopped");
    const old = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) })
      .catch((error) => error);
    assert(old instanceof Deno.errors.ConnectionRefused);
    assertStringIncludes((await sandbox.run(["ps"])).stdout, moved);
  },
);

Deno.test("two runs of an app at the same moment are one deployment, which both follow", async () => {
  await using launched = await launch(hello("hello"), { args: ["--name", "another"] });
  const { sandbox } = launched;
  const start = () => sandbox.start(["run", launched.script, "--port", "0"]);
  const runs = [start(), start()];
  const lines = await Promise.all(runs.map((run) => run.line("listening on")));
  assertEquals(lines[0], lines[1]);
  const followed = /Process (\d+) runs/;
  const following = await Promise.any(runs.map(async (run) => {
    const [, pid] = followed.exec(await run.line(followed))!;
    return { run, pid: Number(pid) };
  }));
  const launcher = runs.find((run) => run !== following.run)!;
  assertEquals(following.pid, launcher.pid);
  const url = /http:\S+\d/.exec(lines[0]!)![0];
  assertEquals((await ask(url, "hello", "Ada")).result, "hello, Ada");
  const ps = JSON.parse((await sandbox.run(["ps", "--json"])).stdout);
  const apps = ps.map(({ handle }: { handle: { app: string } }) => handle.app);
  assertEquals(apps, ["another", APP]);
  launcher.kill("SIGINT");
  assertEquals((await Promise.all(runs.map(({ ended }) => ended))).map(({ code }) => code), [0, 0]);
  assertEquals((await launched.reply("hello", "Ada")).result, "hello, Ada");
});
