// Scaling and updating what runs.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { ReplicaStatus } from "../../../runtime/launch/driver.ts";
import { exists, launch, listenTo, plan, until } from "./fixtures.ts";

const quick = { firstDelay: 10, longestDelay: 50, crashLoop: 2 };

function spread(replicas: number) {
  return plan({
    nodes: [
      { path: "svc.shard", needs: ["svc.compute"] },
      { path: "svc.compute", replicas, env: { FAKE_REPLICAS: String(replicas) } },
    ],
  });
}

const names = (status: readonly ReplicaStatus[]) =>
  status.map(({ path, index, state }) => `${path}.${index} ${state}`);

Deno.test("scale() adds replicas, and tells all of them when they are ready", async () => {
  await using world = await launch(spread(1));
  const { deployment } = world;
  const heard = listenTo(deployment);
  await deployment.ready();
  const before = deployment.status().map(({ pid }) => pid);
  const { book } = deployment;
  await deployment.scale(...await world.prepare(spread(3), { scales: book }));
  assertEquals(names(deployment.status()), [
    "svc.shard.0 ready",
    "svc.compute.0 ready",
    "svc.compute.1 ready",
    "svc.compute.2 ready",
  ]);
  assertEquals(deployment.status().slice(0, 2).map(({ pid }) => pid), before);
  assertEquals(deployment.book.generation, 2);
  assertEquals(deployment.book.replicas.slice(0, 2), book.replicas.slice(0, 2));
  assertEquals(new Set(deployment.book.replicas.map(({ peer }) => peer)).size, 4);
  await heard.line(({ path, text }) => path === "svc.shard" && text === "book 2: 4");
});

Deno.test("scale() takes replicas out of the address book before it drains them", async () => {
  await using world = await launch(spread(3));
  const { deployment } = world;
  const heard = listenTo(deployment);
  await deployment.ready();
  const gone = deployment.status().at(-1)!.pid!;
  await deployment.scale(...await world.prepare(spread(1), { scales: deployment.book }));
  assertEquals(names(deployment.status()), ["svc.shard.0 ready", "svc.compute.0 ready"]);
  assert(!exists(gone));
  const book = await heard.line(({ text, path }) => path === "svc.shard" && text === "book 2: 2");
  const drain = await heard.line(({ text, index }) => index === 2 && text === "drain");
  assert(book.time <= drain.time);
  // what was removed can come back
  await deployment.scale(...await world.prepare(spread(2), { scales: deployment.book }));
  assertEquals(names(deployment.status()).at(-1), "svc.compute.1 ready");
});

Deno.test("scale() that fails leaves everything as it was", async () => {
  await using world = await launch(spread(1), { driver: { policy: quick } });
  const { deployment } = world;
  await deployment.ready();
  const wanted = await world.prepare(spread(2), { scales: deployment.book }, {
    env: { FAKE_CRASHES: "99" },
  });
  const error = await assertRejects(() => deployment.scale(...wanted), MpError);
  assertEquals([error.code, error.replica], ["crash_loop", "svc.compute.1"]);
  assertEquals(names(deployment.status()), ["svc.shard.0 ready", "svc.compute.0 ready"]);
  assertEquals(deployment.book.replicas.length, 2);
  await deployment.scale(...await world.prepare(spread(2), { scales: deployment.book }));
  assertEquals(deployment.status().length, 3);
});

function shop(revision: string, env: Record<string, string> = {}) {
  return plan({
    revision,
    nodes: [{ path: "svc", needs: ["svc.leaf"], env }, { path: "svc.leaf", replicas: 2, env }],
    doors: [{ port: null, node: "svc" }],
  });
}

/** Many callers, each with a connection for each call, as long as `work` takes. */
async function storm(port: number, work: () => Promise<void>): Promise<string[]> {
  const answers: string[] = [];
  let going = true;
  const caller = async () => {
    while (going) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
      const { value } = await conn.readable.getReader().read();
      const [head = "", body = ""] = new TextDecoder().decode(value).split("\r\n\r\n");
      assert(head.startsWith("HTTP/1.1 200 "), `answered with ${JSON.stringify(head)}`);
      answers.push(body);
    }
  };
  const callers = Promise.all(Array.from({ length: 4 }, caller));
  callers.catch(() => going = false);
  try {
    await work();
  } finally {
    going = false;
  }
  await callers;
  return answers;
}

Deno.test({
  name: "update() moves to a new tree under load, and no call fails",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using world = await launch(shop("r1"));
    const { deployment, port } = world;
    const heard = listenTo(deployment);
    await deployment.ready();
    const old = deployment.status();
    const folder = deployment.book.folder!;
    // a call that is under way is answered by the replica that has it
    const held = fetch(`http://127.0.0.1:${port}/hold`).then((response) => response.text());
    await heard.line(({ text }) => text === "holding");
    const answers = await storm(port, async () => {
      for (const revision of ["r2", "r3"]) {
        const [book, rendered] = await world.prepare(shop(revision), { replaces: deployment.book });
        assertEquals(book.doors, deployment.book.doors);
        await deployment.update(book, rendered);
        assertEquals(deployment.book, book);
      }
    });
    assertEquals([...new Set(answers)].sort(), ["r1", "r2", "r3"]);
    assertEquals(answers.at(-1), "r3");
    assertEquals(await held, "r1");
    assertEquals(deployment.status().map(({ state, tree }) => [state, tree]), [
      ["ready", 3],
      ["ready", 3],
      ["ready", 3],
    ]);
    assertEquals(old.map(({ pid }) => exists(pid!)), [false, false, false]);
    await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "a replica whose door was moved to it opens it again when it is started anew",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using world = await launch(shop("r1"));
    const { deployment, port } = world;
    await deployment.ready();
    await deployment.update(...await world.prepare(shop("r2"), { replaces: deployment.book }));
    Deno.kill(deployment.status()[0]!.pid!, "SIGKILL");
    await until(deployment, ([svc]) => svc!.state === "ready" && svc!.restarts === 1);
    assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "r2");
  },
});

Deno.test("update() to a tree that does not become ready leaves the old one alone", async () => {
  await using world = await launch(shop("r1"), { driver: { policy: quick } });
  const { deployment, port } = world;
  await deployment.ready();
  const before = deployment.status();
  const wanted = await world.prepare(shop("r2", { FAKE_CRASHES: "99" }), {
    replaces: deployment.book,
  });
  const error = await assertRejects(() => deployment.update(...wanted), MpError);
  assertEquals(error.code, "crash_loop");
  assertStringIncludes(error.message, 'Cannot update "shop", what ran before goes on: Cannot keep');
  assertEquals(deployment.status(), before);
  assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "r1");
  await assertRejects(() => Deno.stat(wanted[0].folder!), Deno.errors.NotFound);
});

Deno.test("update() replaces a tree that never became ready", async () => {
  await using world = await launch(shop("r1", { FAKE_NEVER_READY: "1" }), {
    launch: { grace: 100 },
  });
  const { deployment, port } = world;
  await deployment.update(...await world.prepare(shop("r2"), { replaces: deployment.book }));
  await deployment.ready();
  assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "r2");
});

Deno.test("update() where no door can be taken over closes the old one first", async () => {
  const alone = { FAKE_SHARES_PORT: "no" };
  await using world = await launch(shop("r1", alone), {
    driver: { takesOver: false, policy: quick },
  });
  const { deployment, port } = world;
  const heard = listenTo(deployment);
  await deployment.ready();
  const held = fetch(`http://127.0.0.1:${port}/hold`).then((response) => response.text());
  await heard.line(({ text }) => text === "holding");
  const update = await world.prepare(shop("r2", alone), { replaces: deployment.book });
  await deployment.update(...update);
  assertEquals(await held, "r1");
  assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "r2");
  assertEquals(names(deployment.status()), ["svc.0 ready", "svc.leaf.0 ready", "svc.leaf.1 ready"]);
});

Deno.test("delete() during an update leaves neither tree", async () => {
  await using world = await launch(shop("r1"));
  const { deployment } = world;
  await deployment.ready();
  const next = await world.prepare(shop("r2", { FAKE_NEVER_READY: "1" }), {
    replaces: deployment.book,
  });
  const update = assertRejects(() => deployment.update(...next), MpError);
  const all = await until(deployment, (all) => all.filter(({ pid }) => pid).length === 6);
  await deployment.delete();
  assertEquals((await update).code, "interrupted");
  assertEquals(all.map(({ pid }) => exists(pid!)), new Array(6).fill(false));
  await assertRejects(() => Deno.stat(next[0].folder!), Deno.errors.NotFound);
});

Deno.test("changes of a deployment wait for each other", async () => {
  await using world = await launch(shop("r1"));
  const { deployment } = world;
  await deployment.ready();
  const { book } = deployment;
  const second = await world.prepare(shop("r2"), { replaces: book });
  const third = await world.prepare(shop("r3"), { replaces: book });
  let most = 0;
  const watching = (async () => {
    for await (const _ of deployment.events()) {
      most = Math.max(most, new Set(deployment.status().map(({ tree }) => tree)).size);
    }
  })();
  await Promise.all([deployment.update(...second), deployment.update(...third)]);
  assertEquals(deployment.book.revision, "r3");
  await deployment.delete();
  await watching;
  assertEquals(most, 2);
});
