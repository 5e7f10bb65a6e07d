// start() with processes: the same tests as in this process, as far as processes allow.
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MpError, start } from "@metaparticle/mp/testing";
import { leftRunning } from "../support/left_running.ts";

const shop = import.meta.resolve("../testing/topologies/shop.ts");

const MARK = `mp-test-mark-${crypto.randomUUID()}`;

type Part = { length: number; replica: string; asked: number };

Deno.test("start() with processes answers calls, and leaves nothing behind", async () => {
  {
    await using app = await start(shop, { driver: "process", env: { COLOUR: "red", MARK } });
    assertEquals(app.driver, "process");
    assertEquals((await app.call<Part[]>("count", "four")).map(({ length }) => length), [4, 4, 4]);
    // not exposed
    assertEquals(await app.call("env", "COLOUR"), { deno: "red", node: "red" });
    await app.storage.seed({ stock: { apple: 3 } });
    assertEquals(await app.call("stock", "apple"), 2);
    assertEquals(await app.storage.read("stock"), { apple: 2 });
    assertEquals((await app.metrics()).value("mp_rpc_requests_total", { method: "count" }), 1);
    const error = await assertRejects(() => app.call("count", "boom"), MpError);
    assertEquals(error.code, "handler_failed");

    const leaf = app.replica("count.scatter", 1);
    await leaf.kill();
    await leaf.ready();
    assertEquals(leaf.restarts, 1);
    assertEquals((await app.call<Part[]>("count", "a")).map(({ asked }) => asked), [3, 1, 3]);

    await leaf.pause();
    const late = await assertRejects(() => app.call("count", "a", { timeout: 300 }), MpError);
    assertEquals(late.code, "deadline_exceeded");
    await leaf.resume();
    assertEquals((await app.call<Part[]>("count", "a")).length, 3);
    while (leaf.logs().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assertMatch(leaf.logs()[0]!.text, /asked for/);

    for (
      const impossible of [
        () => app.network.partition("count.gather", "*"),
        () => app.network.drop("count.gather", "*"),
        () => app.network.delay("count.gather", "*", 1),
        () => app.storage.fail(),
        () => app.storage.slow(1),
        () => leaf.calls(),
      ]
    ) {
      const error = assertThrows(impossible, MpError, "with the process driver");
      assertEquals(error.code, "unsupported");
      assert(error.next);
    }
    await assertRejects(() => leaf.kill({ restart: false }), MpError, "keep a replica down");
  }
  assertEquals(await leftRunning(MARK), []);
});

Deno.test("start() with processes tells what is wrong with a script", async () => {
  await assertRejects(() => start("/absent.ts", { driver: "process" }), MpError, "no such file");
});
