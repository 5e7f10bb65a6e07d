import { assertEquals, assertRejects } from "@std/assert";
import { Relay } from "../../../runtime/replica/relay.ts";

/** A server that answers with its name. */
function serve(name: string, port = 0) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen() {} },
    async (request) => new Response(`${name} ${await request.text()}`),
  );
  return { server, address: `tcp:127.0.0.1:${server.addr.port}` as const };
}

async function ask(port: number, body: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    method: "POST",
    body,
    headers: { connection: "close" },
  });
  return await response.text();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("Relay passes on what comes in, to whom it is pointed", async () => {
  const [one, other] = [serve("one"), serve("other")];
  const port = freePort();
  const relay = new Relay(`tcp:127.0.0.1:${port}`, one.address);
  const large = "x".repeat(1 << 20);
  assertEquals(await ask(port, large), `one ${large}`);
  relay.pointTo(other.address);
  assertEquals(await ask(port, "2"), "other 2");
  await relay.drain(new AbortController().signal);
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  await Promise.all([one.server.shutdown(), other.server.shutdown()]);
});

Deno.test("Relay lets a connection wait for who is about to start", async () => {
  const [port, late] = [freePort(), freePort()];
  const relay = new Relay(`tcp:127.0.0.1:${port}`, `tcp:127.0.0.1:${late}`);
  const answer = ask(port, "1");
  // it has been accepted, and nobody is there yet
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  const { server } = serve("late", late);
  assertEquals(await answer, "late 1");
  await relay.drain(new AbortController().signal);
  await server.shutdown();
});

Deno.test("Relay.drain() lets calls end that are under way, unless its signal aborts", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    begun.resolve();
    await held;
    return new Response("held");
  });
  const port = freePort();
  const relay = new Relay(`tcp:127.0.0.1:${port}`, `tcp:127.0.0.1:${server.addr.port}`);
  const answer = ask(port, "");
  await begun.promise;
  await relay.drain(AbortSignal.abort());
  release();
  assertEquals(await answer, "held");
  await server.shutdown();
});

Deno.test({
  name: "Relay takes over the port of a door of its own process, and no call fails",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const next = serve("next");
    const port = freePort();
    const door = Deno.serve(
      { hostname: "127.0.0.1", port, reusePort: true, onListen() {} },
      () => new Response("door"),
    );
    assertEquals(await ask(port, ""), "door");
    const relay = new Relay(`tcp:127.0.0.1:${port}`, next.address);
    for (let i = 0; i < 50; i++) assertEquals(await ask(port, `${i}`), `next ${i}`);
    await door.shutdown();
    for (let i = 0; i < 50; i++) assertEquals(await ask(port, `${i}`), `next ${i}`);
    await relay.drain(new AbortController().signal);
    await next.server.shutdown();
  },
});
