import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Context } from "../../../mod.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Address } from "../../../runtime/launch/address_book.ts";
import type { Replica } from "../../../runtime/replica/replica.ts";
import { needsSystem, testWith } from "../../support/needs.ts";
import { type Script, Tree } from "./tree.ts";

const nameOf = (_request: unknown, { replica }: Context) => replica.name;

/** One caller from outside. */
class Caller implements Disposable {
  #client = Deno.createHttpClient({});

  constructor(readonly address: Address) {}

  async fetch(path: string, init: RequestInit = {}): Promise<[number, string]> {
    const url = `http://${this.address.slice("tcp:".length)}${path}`;
    const response = await fetch(url, { ...init, client: this.#client });
    return [response.status, await response.text()];
  }

  async call(method: string, params?: unknown, headers: HeadersInit = {}): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const [, text] = await this.fetch("/", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    const { result, error } = JSON.parse(text);
    return error === undefined ? result : { code: error.code, data: error.data };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Opens the deployment's own door. */
async function open(tree: Tree): Promise<[Caller, Replica]> {
  const [{ node, address }] = tree.book.doors as [{ node: string; address: Address }];
  const replica = tree.replicas.get(`${node}.0`)!;
  return [new Caller(await replica.open(address, false)), replica];
}

Deno.test("Door of a single replica answers its service without a hop", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("hist", mp.scatter(3, nameOf, (parts) => parts), { expose: true });
    mp.service("hidden", nameOf);
  });
  const [caller, replica] = await open(tree);
  using _ = caller;
  assertEquals(replica.identity.name, "hist.gather.0");
  assertEquals(await caller.call("hist"), ["hist.scatter.0", "hist.scatter.1", "hist.scatter.2"]);
  // neither what is not exposed, nor the parts of what is
  for (const method of ["hidden", "hist.scatter", "hist.gather", "constructor"]) {
    assertEquals((await caller.call(method) as { code: number }).code, -32601);
  }
});

Deno.test("Door of the ingress spreads over all that is exposed", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("one", nameOf, { expose: true });
    const two = mp.service("two", mp.spread(2, nameOf), { replicas: 2, expose: true });
    two.subservices.compute.expose = true;
  });
  const [caller, replica] = await open(tree);
  using _ = caller;
  assertEquals(replica.identity.name, "ingress.0");
  assertEquals(await caller.call("one"), "one.0");
  const names = new Set<unknown>();
  for (let i = 0; i < 40; i++) names.add(await caller.call("two.compute"));
  assertEquals([...names].sort(), ["two.compute.0", "two.compute.1"]);
  assert(/^two\.compute\.[01]$/.test(String(await caller.call("two"))));
});

Deno.test("Door hands on request ids, whatever is in them, and time limits", async () => {
  await using tree = await Tree.start((mp) => {
    const seen = (_request: unknown, { requestId, deadline }: Context) => [
      requestId,
      deadline - Date.now() <= 5_000,
    ];
    mp.service("svc", seen, { expose: true, replicas: 2, timeout: 5_000 });
  });
  const [caller] = await open(tree);
  using _ = caller;
  assertEquals(await caller.call("svc", [], { "x-request-id": "id-7" }), ["id-7", true]);
  // white space would end it on its way between replicas
  const [odd] = await caller.call("svc", [], { "x-request-id": "a\tb c" }) as [string];
  assert(/^a\S?b\S?c$/.test(odd), odd);
  const [own] = await caller.call("svc") as [string];
  assert(own.length > 4);
});

Deno.test("Door says which service and replica failed, and how", async () => {
  await using tree = await Tree.start((mp) => {
    const leaf = () => {
      throw new Error("no such word");
    };
    mp.service("hist", mp.scatter(1, leaf, (parts) => parts), { expose: true });
    mp.service("slow", () => new Promise<void>(() => {}), { expose: true, timeout: 40 });
  });
  const [caller] = await open(tree);
  using _ = caller;
  const { code, data } = await caller.call("hist") as { code: number; data: unknown };
  assertEquals(code, -32000);
  assertEquals(data, {
    code: "handler_failed",
    service: "hist",
    replica: "hist.scatter.0",
    reason: "threw",
  });
  const late = await caller.call("slow") as { code: number; data: { replica: string } };
  assertEquals([late.code, late.data.replica], [-32001, "slow.0"]);
});

Deno.test("Door fails a call whose handler hangs in its own process", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("slow", () => new Promise<void>(() => {}), { expose: true, timeout: 40 });
  });
  const [caller] = await open(tree);
  using _ = caller;
  const late = await caller.call("slow") as { code: number; data: { replica: string } };
  assertEquals([late.code, late.data.replica], [-32001, "slow.0"]);
});

Deno.test("Door.open() names a port that is in use", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", nameOf, { expose: true });
  });
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const error = await assertRejects(
    () => tree.replicas.get("svc.0")!.open(`tcp:127.0.0.1:${port}`, false),
    MpError,
    `Cannot listen on 127.0.0.1:${port}: the port is in use`,
  );
  assertEquals(error.code, "port_in_use");
  assert(error.next!.includes("--port"));
  taken.close();
});

Deno.test("Door.drain() answers what has come, and then refuses connections", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  await using tree = await Tree.start((mp) => {
    mp.service("svc", () => (ask(), promise), { expose: true });
  });
  const [caller, replica] = await open(tree);
  using _ = caller;
  const reply = caller.call("svc");
  await asked;
  const draining = replica.drain({ linger: 0, leave: false }, new AbortController().signal);
  resolve("done");
  assertEquals(await reply, "done");
  await draining;
  await assertRejects(() => caller.call("svc"), TypeError);
});

Deno.test("Door.drain() gives up when its signal aborts", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  await using tree = await Tree.start((mp) => {
    const hang = () => (ask(), new Promise<void>(() => {}));
    mp.service("svc", hang, { expose: true, timeout: 100 });
  });
  const [caller, replica] = await open(tree);
  using _ = caller;
  const reply = caller.call("svc");
  await asked;
  const grace = new AbortController();
  const draining = replica.drain({ linger: 0, leave: false }, grace.signal);
  grace.abort();
  await draining;
  // what has come is answered as long as the process lasts
  assertEquals((await reply as { code: number }).code, -32001);
});

Deno.test("Door for operators tells health to all, and answers calls with the secret only", async () => {
  const script: Script = (mp) => {
    mp.service("hist", mp.scatter(1, nameOf, (parts) => parts));
  };
  await using tree = await Tree.start(script);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const http: Address = `tcp:127.0.0.1:${port}`;
  const book = {
    ...tree.book,
    replicas: tree.book.replicas.map((own) => ({ ...own, peer: `${own.peer}x` as Address, http })),
  };
  const leaf = await tree.start("hist.scatter", 0, book);
  leaf.openForOperators();
  leaf.openForOperators();
  using caller = new Caller(http);
  assertEquals((await caller.fetch("/healthz"))[0], 200);
  assertEquals((await caller.fetch("/readyz"))[0], 200);
  const post = (authorization: string) =>
    caller.fetch("/", {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: '{"jsonrpc":"2.0","id":1,"method":"hist.scatter"}',
    });
  for (const authorization of ["", "Bearer", "Bearer guess", "s3cret"]) {
    const [status, text] = await post(authorization);
    assertEquals(status, 401, authorization);
    assert(!text.includes("s3cret"));
  }
  const [status, text] = await post("Bearer s3cret");
  assertEquals([status, JSON.parse(text).result], [200, "hist.scatter.0"]);
});

testWith(needsSystem("linux"), "Door counts the connections of its callers", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("name", nameOf, { expose: true });
  });
  const [caller, replica] = await open(tree);
  using first = caller;
  assertEquals(replica.metrics.doorConnections!(), 0);
  assertEquals(await first.call("name"), "name.0");
  {
    using second = new Caller(first.address);
    assertEquals(await second.call("name"), "name.0");
    assertEquals(replica.metrics.doorConnections!(), 2);
    const [, text] = await first.fetch("/metrics");
    assertEquals(text.match(/^mp_door_connections .*$/m)?.[0], "mp_door_connections 2");
  }
  // the kernel has no event for a connection that is gone, and neither has Deno's server
  while (replica.metrics.doorConnections!() > 1) await delay(5);
});
