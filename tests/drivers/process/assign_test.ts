import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { assign } from "../../../drivers/process/assign.ts";
import { MpError } from "../../../runtime/errors.ts";
import { plan } from "./fixtures.ts";

const onUnix = Deno.build.os !== "windows";
const host = "127.0.0.1";
const nodes = [{ path: "a" }, { path: "a.b", replicas: 2 }];

function taken(hostname = host): Deno.Listener & { port: number } {
  const listener = Deno.listen({ hostname, port: 0 });
  return Object.assign(listener, { port: (listener.addr as Deno.NetAddr).port });
}

Deno.test({
  name: "assign() gives every replica two sockets with short names in a private folder",
  ignore: !onUnix,
  async fn() {
    const book = await assign(plan({ nodes }), { host, port: 0 });
    const { folder } = book;
    assertEquals(book, {
      revision: "r1",
      generation: 1,
      folder,
      replicas: [
        { path: "a", index: 0, peer: `unix:${folder}/0.p`, http: `unix:${folder}/0.h` },
        { path: "a.b", index: 0, peer: `unix:${folder}/1.p`, http: `unix:${folder}/1.h` },
        { path: "a.b", index: 1, peer: `unix:${folder}/2.p`, http: `unix:${folder}/2.h` },
      ],
      doors: [],
    });
    // launching makes it, so a plan that is never launched leaves nothing
    await assertRejects(() => Deno.stat(folder!), Deno.errors.NotFound);
    assertNotEquals((await assign(plan({ nodes }), { host, port: 0 })).folder, folder);
  },
});

Deno.test({
  name: "assign() keeps sockets within what systems can hold when TMPDIR is long",
  ignore: !onUnix,
  async fn() {
    const before = Deno.env.get("TMPDIR");
    Deno.env.set("TMPDIR", `/tmp/${"long".repeat(30)}`);
    try {
      const { folder } = await assign(plan({ nodes }), { host, port: 0 });
      assertMatch(folder!, /^\/tmp\/mp-tree-[0-9a-z]+$/);
    } finally {
      if (before === undefined) Deno.env.delete("TMPDIR");
      else Deno.env.set("TMPDIR", before);
    }
  },
});

Deno.test("assign() picks a free port for 0, another for each door", async () => {
  const doors = [{ port: null, node: "a" }, { port: 0, node: "a.b" }];
  const book = await assign(plan({ nodes, doors }), { host, port: 0 });
  assertEquals(book.doors.map(({ node }) => node), ["a", "a.b"]);
  const ports = book.doors.map(({ address }) => /^tcp:127\.0\.0\.1:(\d+)$/.exec(address)?.[1]);
  assertNotEquals(ports[0], undefined);
  assertNotEquals(ports[0], ports[1]);
});

Deno.test("assign() binds names of hosts by their numbers", async () => {
  const doors = [{ port: null, node: "a" }];
  const book = await assign(plan({ nodes, doors }), { host: "localhost", port: 0 });
  assertMatch(book.doors[0]!.address, /^tcp:(127\.0\.0\.1|\[::1\]):\d+$/);
});

Deno.test({
  name: "assign() names the process that has the port",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using listener = taken();
    const { port } = listener;
    const wanted = () => assign(plan({ nodes, doors: [{ port, node: "a" }] }), { host, port: 0 });
    const error = await assertRejects(wanted, MpError);
    assertEquals(error.code, "port_in_use");
    assertMatch(
      error.message,
      new RegExp(
        `^Cannot listen on 127\\.0\\.0\\.1:${port}: process ${Deno.pid} \\(.*deno.*\\) does$`,
      ),
    );
    assertMatch(error.next!, /--port 0/);
  },
});

Deno.test({
  name: "assign() sees a port that another deployment of this user shares",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const server = Deno.serve(
      { hostname: host, port: 0, reusePort: true, onListen() {} },
      () => new Response(),
    );
    const { port } = server.addr;
    const wanted = () =>
      assign(plan({ nodes, doors: [{ port: null, node: "a" }] }), { host, port });
    assertEquals((await assertRejects(wanted, MpError)).code, "port_in_use");
    await server.shutdown();
  },
});

Deno.test("assign() refuses an address that is not this machine's", async () => {
  const wanted = () =>
    assign(plan({ nodes, doors: [{ port: null, node: "a" }] }), { host: "192.0.2.1", port: 0 });
  const error = await assertRejects(wanted, MpError);
  assertEquals(error.code, "launch_failed");
  assertMatch(error.message, /^Cannot listen on 192\.0\.2\.1:0: /);
  assertMatch(error.next!, /--host/);
});

Deno.test("assign() hands a door over to the tree that replaces another", async () => {
  using listener = taken();
  const { port } = listener;
  const doors = [{ port: null, node: "a" }];
  const first = await assign(plan({ nodes, doors }), { host, port: 0 });
  // the port of the first tree's door is in use: by the first tree
  const old = { ...first, doors: [{ node: "a", address: `tcp:127.0.0.1:${port}` as const }] };
  for (const asked of [port, 0]) {
    const next = await assign(plan({ nodes, doors }), { host, port: asked, replaces: old });
    assertEquals(next.doors, old.doors);
    assertEquals(next.generation, 1);
    assertNotEquals(next.folder, old.folder);
  }
  const other = plan({ nodes, doors: [...doors, { port: 0, node: "a.b" }] });
  const next = await assign(other, { host, port, replaces: old });
  assertEquals(next.doors[0], old.doors[0]);
  assertNotEquals(next.doors[1]!.address, old.doors[0]!.address);
});

Deno.test("assign() keeps the addresses of replicas that stay when a tree is scaled", async () => {
  const doors = [{ port: null, node: "a" }];
  const first = await assign(plan({ nodes, doors }), { host, port: 0 });
  const scaled = (replicas: number, scales: typeof first) =>
    assign(plan({ nodes: [{ path: "a" }, { path: "a.b", replicas }], doors }), {
      host,
      port: 0,
      scales,
    });
  const more = await scaled(3, first);
  assertEquals([more.folder, more.generation], [first.folder, 2]);
  assertEquals(more.doors, first.doors);
  assertEquals(more.replicas.slice(0, 3), first.replicas);
  assertEquals(new Set(more.replicas.map(({ peer }) => peer)).size, 4);
  const fewer = await scaled(1, more);
  assertEquals(fewer.replicas, first.replicas.slice(0, 2));
  assertEquals(fewer.generation, 3);
});
