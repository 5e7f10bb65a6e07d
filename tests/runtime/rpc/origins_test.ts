import { assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { readOrigins } from "../../../runtime/rpc/origins.ts";
import { serve } from "./served.ts";

const SHOP = "https://shop.example";
const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "echo", params: [1] });

/** What a browser asks first, and is told. */
async function preflight(url: string, origin: string): Promise<Response> {
  const response = await fetch(url, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST" },
  });
  await response.body?.cancel();
  return response;
}

Deno.test("readOrigins() reads origins, however they are separated", () => {
  assertEquals(readOrigins(""), []);
  assertEquals(readOrigins(" https://a.example, http://localhost:5173/\thttps://b.example:443 "), [
    "https://a.example",
    "http://localhost:5173",
    "https://b.example",
  ]);
  assertEquals(readOrigins("*"), ["*"]);
});

Deno.test("readOrigins() refuses what is no origin", () => {
  for (
    const text of [
      "shop.example",
      "https://shop.example/path",
      "https://*.example",
      "ftp://shop.example",
      "https://me:secret@shop.example",
      "null",
      "https://a.example **",
    ]
  ) {
    const error = assertThrows(() => readOrigins(text), MpError, "it is none");
    assertEquals(error.code, "usage");
  }
});

Deno.test("forOrigins() lets pages of the origins named call, and says so to no other", async () => {
  await using served = serve({ origins: [SHOP, "http://localhost:5173"] });
  const allowed = await preflight(served.url, SHOP);
  assertEquals(allowed.status, 204);
  const { headers } = allowed;
  assertEquals(headers.get("access-control-allow-origin"), SHOP);
  assertEquals(headers.get("access-control-allow-methods"), "POST, GET");
  const may = headers.get("access-control-allow-headers")!.split(", ");
  for (const name of ["content-type", "authorization", "idempotency-key"]) {
    assertEquals(may.includes(name), true, name);
  }
  const response = await served.post(call, { origin: SHOP });
  assertEquals(response.headers.get("access-control-allow-origin"), SHOP);
  assertEquals(response.headers.get("vary"), "origin");
  assertEquals((await response.json()).result, 1);
  for (const origin of ["https://evil.example", "https://shop.example.evil.example", "null"]) {
    const refused = await preflight(served.url, origin);
    assertEquals(refused.headers.get("access-control-allow-origin"), null);
    const posted = await served.post(call, { origin });
    assertEquals(posted.headers.get("access-control-allow-origin"), null);
    // caches must not give it to pages of other origins
    assertEquals(posted.headers.get("vary"), "origin");
    await posted.body?.cancel();
  }
});

Deno.test("forOrigins() lets pages of every origin call with *", async () => {
  await using served = serve({ origins: ["*"] });
  const origin = "https://any.example";
  assertEquals(
    (await preflight(served.url, origin)).headers.get("access-control-allow-origin"),
    "*",
  );
  const health = await fetch(`${served.url}healthz`, { headers: { origin } });
  assertEquals(health.headers.get("access-control-allow-origin"), "*");
  await health.body?.cancel();
  const notification = JSON.stringify({ jsonrpc: "2.0", method: "echo" });
  const none = await served.post(notification, { origin });
  assertEquals([none.status, none.headers.get("access-control-allow-origin")], [204, "*"]);
});
