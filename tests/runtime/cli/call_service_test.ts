import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { callService } from "../../../runtime/cli/call_service.ts";

/** A server that answers with what `reply` makes of the request's text. */
function server(reply: (text: string) => Response | Promise<Response>) {
  const running = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => reply(await request.text()),
  );
  return {
    url: `http://127.0.0.1:${running.addr.port}/`,
    [Symbol.asyncDispose]: () => running.shutdown(),
  };
}

async function failureOf(promise: Promise<unknown>): Promise<MpError> {
  const error = await assertRejects(() => promise);
  assertInstanceOf(error, MpError);
  return error;
}

const result = (result: unknown) => Response.json({ jsonrpc: "2.0", id: 1, result });
const failure = (error: unknown) => Response.json({ jsonrpc: "2.0", id: 1, error });

Deno.test("callService() hands the request on as the one parameter, digit by digit", async () => {
  const seen: string[] = [];
  await using at = server((text) => {
    seen.push(text);
    return result([1, 2]);
  });
  const call = { url: at.url, service: "a", timeout: 5000 };
  assertEquals(await callService({ ...call, request: "12345678901234567890" }), [1, 2]);
  await callService({ ...call, request: undefined });
  assertEquals(seen, [
    '{"jsonrpc":"2.0","id":1,"method":"a","params":[12345678901234567890]}',
    '{"jsonrpc":"2.0","id":1,"method":"a"}',
  ]);
});

Deno.test("callService() gives null for a result that is not there", async () => {
  await using at = server(() => result(null));
  assertEquals(await callService({ url: at.url, service: "a", request: "1", timeout: 5000 }), null);
});

Deno.test("callService() throws what the service answered, with service and replica", async () => {
  const data = { code: "handler_failed", service: "a", replica: "a.scatter.3" };
  await using at = server(() => failure({ code: -32000, message: "boom", data }));
  const error = await failureOf(
    callService({ url: at.url, service: "a", request: "1", timeout: 5000 }),
  );
  assertEquals(error.toData(), { ...data, message: "boom", code: "handler_failed" });
});

Deno.test("callService() knows the codes of other servers by their numbers", async () => {
  await using at = server(() => failure({ code: -32601, message: "Method not found" }));
  const error = await failureOf(
    callService({ url: at.url, service: "a", request: "1", timeout: 5000 }),
  );
  assertEquals([error.code, error.next], ["method_not_found", "See mp ps for the services"]);
});

Deno.test("callService() says when the answer is not JSON-RPC", async () => {
  for (const body of ["<html>", "{}", "null", '{"jsonrpc":"2.0","id":1}']) {
    await using at = server(() =>
      new Response(body, { status: 404, headers: { "content-type": "text/html" } })
    );
    const { message } = await failureOf(
      callService({ url: at.url, service: "a", request: "1", timeout: 5000 }),
    );
    assertEquals(
      message,
      `Cannot call "a": the answer of ${at.url} is not JSON-RPC (HTTP 404, text/html)`,
    );
  }
});

Deno.test("callService() says when nothing listens", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  listener.close();
  const error = await failureOf(callService({ url, service: "a", request: "1", timeout: 5000 }));
  assertEquals(error.code, "replica_unreachable");
  assertEquals(error.message, `Cannot call "a" at ${url}: nothing listens there`);
});

Deno.test("callService() says when a name is that of no machine", async () => {
  const url = "http://nobody.invalid/";
  const error = await failureOf(callService({ url, service: "a", request: "1", timeout: 5000 }));
  assertEquals(error.message, `Cannot call "a" at ${url}: no machine of that name is known`);
  assertEquals(error.next, "Correct the address");
});

Deno.test("callService() gives up when time is over", async () => {
  const hold = Promise.withResolvers<Response>();
  await using at = server(() => hold.promise);
  const error = await failureOf(
    callService({ url: at.url, service: "a", request: "1", timeout: 20 }),
  );
  assertEquals(error.code, "deadline_exceeded");
  assertEquals(error.message, 'Cannot call "a": no answer within 20 ms');
  hold.resolve(result(1));
});

Deno.test("callService() says who calls, and what to do when that is asked", async () => {
  const authorization = "Basic YWRhOmxvdmVsYWNl";
  const seen: (string | null)[] = [];
  const challenges = ['Basic realm="a", charset="UTF-8"', 'Bearer realm="a"', null];
  let at = 0;
  const running = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ headers }) => {
    seen.push(headers.get("authorization"));
    const challenge = challenges[at];
    const error = { code: -32003, message: "no", data: { code: "unauthorized" } };
    const body = { jsonrpc: "2.0", id: 1, error };
    return Response.json(body, {
      status: 401,
      headers: challenge ? { "www-authenticate": challenge } : {},
    });
  });
  const url = `http://127.0.0.1:${running.addr.port}/`;
  const call = { url, service: "a", request: undefined, timeout: 5000 };
  const nexts: unknown[] = [];
  for (; at < challenges.length; at++) {
    for (const given of [{}, { authorization }]) {
      const error = await failureOf(callService({ ...call, ...given }));
      assertEquals(error.code, "unauthorized");
      nexts.push(error.next);
    }
  }
  assertEquals(nexts, [
    "Say who calls with --user NAME:PASSWORD",
    "Correct --user",
    "Say who calls with --token TOKEN",
    "Say who calls with --token TOKEN",
    undefined,
    undefined,
  ]);
  assertEquals(seen, [null, authorization, null, authorization, null, authorization]);
  await running.shutdown();
});

Deno.test("callService() says when to try again what is too busy", async () => {
  for (const [retryAfter, next] of [[302, "302 ms"], [2_500, "2 s"]] as const) {
    const data = { code: "overloaded", service: "a", replica: "a.0", retryAfter };
    await using at = server(() => failure({ code: -32004, message: "full", data }));
    const error = await failureOf(
      callService({ url: at.url, service: "a", request: "1", timeout: 5000 }),
    );
    assertEquals([error.toData().retryAfter, error.next], [retryAfter, `Try again in ${next}`]);
  }
});
