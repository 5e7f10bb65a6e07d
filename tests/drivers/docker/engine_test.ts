import { assert, assertEquals, assertRejects } from "@std/assert";
import { engineAt, EngineError } from "../../../drivers/docker/engine.ts";
import { MpError } from "../../../runtime/errors.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** An engine that a test plays, at a socket of its own. */
async function played(answer: (request: Request) => Response | Promise<Response>) {
  const folder = await Deno.makeTempDir();
  const socketPath = `${folder}/s`;
  const server = Deno.serve({ path: socketPath, onListen() {} }, answer);
  return {
    engine: engineAt({ socketPath, shown: socketPath, chosenBy: "the test" }),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("Engine.json() sends a body, and reads the reply", async () => {
  await using place = await played(async (request) => {
    const { pathname, search } = new URL(request.url);
    return Response.json([request.method, pathname, search, await request.json()]);
  });
  const reply = await place.engine.json("POST", "/containers/create", {
    query: { name: "a b", none: undefined },
    body: { Image: "x" },
  });
  assertEquals(reply, ["POST", "/containers/create", "?name=a+b", { Image: "x" }]);
});

Deno.test("Engine.json() throws what the engine says", async () => {
  await using place = await played(() =>
    Response.json({ message: "no such image" }, { status: 404 })
  );
  const error = await assertRejects(() => place.engine.json("GET", "/x"), EngineError);
  assertEquals([error.status, error.message], [404, "no such image"]);
});

Deno.test("Engine.stream() ends with its signal, and when it is left", async () => {
  const endless = () =>
    new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new Uint8Array([1])),
      }),
    );
  await using place = await played(endless);
  const stop = new AbortController();
  for await (const piece of await place.engine.stream("GET", "/events", { signal: stop.signal })) {
    assertEquals(piece, new Uint8Array([1]));
    stop.abort();
  }
  for await (const _ of await place.engine.stream("GET", "/events")) break;
});

Deno.test("Engine says that an engine does not answer in time", async () => {
  const { promise: over, resolve } = Promise.withResolvers<Response>();
  await using place = await played(() => over);
  const { engine } = place;
  for (const ask of [engine.json, engine.stream]) {
    const error = await assertRejects(() => ask("GET", "/version", { patience: 20 }), MpError);
    assertEquals([error.code, error.message], [
      "engine_unavailable",
      `Cannot reach a container engine: ${engine.address.shown} has not answered for 0.02 s`,
    ]);
    assert(error.next?.startsWith("See whether it hangs"), error.next);
  }
  // an interruption says its own reason
  const [stop, reason] = [new AbortController(), new Error("enough")];
  const asked = engine.json("GET", "/version", { signal: stop.signal, patience: 20 });
  stop.abort(reason);
  assertEquals(await asked.catch((error) => error), reason);
  resolve(new Response());
});

Deno.test("Engine.stream() has patience for its beginning, and then for ever", async () => {
  using clock = new VirtualClock();
  const next = Promise.withResolvers<void>();
  await using place = await played(() =>
    new Response(
      new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(new Uint8Array([1]));
          await next.promise;
          controller.enqueue(new Uint8Array([2]));
          controller.close();
        },
      }),
    )
  );
  const patience = 200;
  const got: number[] = [];
  for await (const piece of await place.engine.stream("GET", "/events", { patience })) {
    got.push(...piece);
    await clock.pass(2 * patience);
    next.resolve();
  }
  assertEquals(got, [1, 2]);
});

Deno.test("Engine.json() says that there is no engine", async () => {
  const socketPath = "/nowhere/engine.sock";
  const engine = engineAt({ socketPath, shown: socketPath, chosenBy: "DOCKER_HOST" });
  const error = await assertRejects(() => engine.json("GET", "/version"), MpError);
  assertEquals([error.code, error.message, error.where], [
    "engine_unavailable",
    "Cannot reach a container engine: nothing answers at /nowhere/engine.sock",
    "DOCKER_HOST",
  ]);
  assert(error.next?.startsWith("Start Docker or Podman"));
});

Deno.test("Engine.stream() says that the engine has ended in the middle", async () => {
  const folder = await Deno.makeTempDir();
  const socketPath = `${folder}/s`;
  const listener = Deno.listen({ transport: "unix", path: socketPath });
  const ending = (async () => {
    const conn = await listener.accept();
    await conn.read(new Uint8Array(1000));
    await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"));
    conn.close();
  })();
  const engine = engineAt({ socketPath, shown: socketPath, chosenBy: "the test" });
  try {
    const error = await assertRejects(() => engine.json("GET", "/version"), MpError);
    assertEquals(error.code, "engine_unavailable");
    assert(error.message.includes("ended"), error.message);
  } finally {
    await ending;
    listener.close();
    await Deno.remove(folder, { recursive: true });
  }
});
