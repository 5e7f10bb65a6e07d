// The memory driver behind the contract of drivers, as a launcher would use it.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type MemoryDriver, memoryDriver } from "../../../drivers/memory/driver.ts";
import { memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import * as api from "../../../mod.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import { planScript } from "../../../testing/plan_script.ts";
import { type PreparedScript, prepareScript } from "../../../testing/prepared_script.ts";

const shop = new URL("../../testing/topologies/shop.ts", import.meta.url);

interface World {
  readonly driver: MemoryDriver;
  readonly prepared: PreparedScript;
  plan(widths?: Record<string, number>): Promise<Plan>;
  render(plan: Plan, book: AddressBook): ReturnType<MemoryDriver["render"]>;
}

async function world(): Promise<World> {
  const prepared = await prepareScript(shop);
  const data = memoryData();
  const driver = memoryDriver({
    api,
    storages: () => ({
      memory: (_config, namespace) => Promise.resolve(memoryStorage({ namespace, data })),
    }),
    env: { MP_STORAGE: "memory" },
    load: () => Promise.resolve(prepared.loaded),
  });
  return {
    driver,
    prepared,
    plan: (widths) => planScript(prepared, { api, env: {}, widths }),
    render: (plan, book) =>
      driver.render(plan, book, {
        files: { bundle: "", sourceMap: "", script: prepared.bundle.script },
        env: {},
      }),
  };
}

const client = () => Deno.createHttpClient({});

async function call(book: AddressBook, method: string, request: unknown): Promise<unknown> {
  using own = client();
  const response = await fetch(`http://${book.doors[0]!.address.slice("tcp:".length)}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [request] }),
    client: own,
  });
  return (await response.json()).result;
}

Deno.test("memoryDriver() assigns before it launches, and doors listen on ports", async () => {
  const { driver, plan, render } = await world();
  const planned = await plan();
  const book = await driver.assign(planned, { host: "127.0.0.1", port: 0 });
  assertEquals(book.replicas.length, 9);
  assertEquals(new Set(book.replicas.map(({ peer }) => peer)).size, 9);
  const deployment = await driver.launch(render(planned, book), { logs: "" });
  await deployment.ready();
  assertEquals(deployment.status().map(({ state }) => state), Array(9).fill("ready"));
  assertEquals((await call(book, "count", "abc") as unknown[]).length, 3);
  await deployment.delete();
  await deployment.delete();
  assertEquals(deployment.status().map(({ state }) => state), Array(9).fill("stopped"));
  deadlines.settle();
});

Deno.test("memoryDriver() scales in place, and a removed replica leaves", async () => {
  const { driver, plan, render } = await world();
  const first = await plan();
  const book = await driver.assign(first, { host: "127.0.0.1", port: 0 });
  const deployment = await driver.launch(render(first, book), { logs: "" });
  await deployment.ready();
  for (const replicas of [4, 1]) {
    const next = await plan({ global: replicas });
    const scaled = await driver.assign(next, {
      host: "127.0.0.1",
      port: 0,
      scales: deployment.book,
    });
    assertEquals(scaled.doors, book.doors);
    await deployment.scale(scaled, render(next, scaled));
    assertEquals(deployment.status().filter(({ path }) => path === "global").length, replicas);
  }
  await deployment.delete();
  deadlines.settle();
});

Deno.test("memoryDriver() updates beside what runs, and the door stays", async () => {
  const { driver, plan, render } = await world();
  const first = await plan();
  const book = await driver.assign(first, { host: "127.0.0.1", port: 0 });
  const deployment = await driver.launch(render(first, book), { logs: "" });
  await deployment.ready();
  const next = await plan({ "count.scatter": 5 });
  const replaced = await driver.assign(next, {
    host: "127.0.0.1",
    port: Number(book.doors[0]!.address.split(":").at(-1)),
    replaces: deployment.book,
  });
  assertEquals(replaced.doors, book.doors);
  await deployment.update(replaced, render(next, replaced));
  assertEquals((await call(book, "count", "abc") as unknown[]).length, 5);
  assert(deployment.status().every(({ tree }) => tree === 2));
  await deployment.delete();
  deadlines.settle();
});

Deno.test("memoryDriver() restarts a replica, and tells what happens", async () => {
  const { driver, plan, render } = await world();
  const planned = await plan();
  const book = await driver.assign(planned, { host: "127.0.0.1", port: 0 });
  const deployment = await driver.launch(render(planned, book), { logs: "" });
  const states: string[] = [];
  const told = (async () => {
    for await (const { path, index, state } of deployment.events()) {
      if (path === "stock") states.push(`${index} ${state}`);
    }
  })();
  await deployment.ready();
  await deployment.restart({ path: "stock", index: 0 });
  await assertRejects(() => deployment.restart({ path: "stock", index: 5 }), MpError);
  deployment.kill();
  await told;
  assertEquals(states, [
    ...["0 starting", "0 ready", "0 draining", "0 stopped"],
    ...["0 starting", "0 ready", "0 stopped"],
  ]);
  await assertRejects(() => deployment.restart({ path: "stock", index: 0 }), MpError);
  deadlines.settle();
});

Deno.test("memoryDriver() leaves nothing of a launch that fails", async () => {
  const { driver, plan, render } = await world();
  const planned = await plan();
  const book = await driver.assign(planned, { host: "127.0.0.1", port: 0 });
  const wrong = { ...book, revision: "another" };
  const deployment = await driver.launch(render(planned, wrong), { logs: "" });
  const error = await assertRejects(() => deployment.ready(), MpError);
  assertEquals(error.code, "revision_mismatch");
  const abort = new AbortController();
  const given = await driver.launch(render(planned, book), { logs: "", signal: abort.signal });
  abort.abort();
  await assertRejects(() => given.ready());
  deadlines.settle();
});

Deno.test("memoryDriver() renders bundles only, and names a port in use", async () => {
  const { driver, plan, render } = await world();
  const planned = await plan();
  const book = await driver.assign(planned, { host: "127.0.0.1", port: 0 });
  const image = {
    ...planned,
    nodes: planned.nodes.map((node) => ({
      ...node,
      run: { kind: "image" as const, image: "redis" },
    })),
  };
  assertThrows(() => render(image, book), MpError, 'of kind "image"');
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const error = await assertRejects(
    async () => await driver.assign(planned, { host: "127.0.0.1", port }),
    MpError,
  );
  assertEquals(error.code, "port_in_use");
});
