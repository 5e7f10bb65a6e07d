import { assertEquals, assertMatch } from "@std/assert";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { type CutOff, cutOff } from "../../../runtime/replica/cut_off.ts";
import { rpcApp } from "../../../runtime/rpc/app.ts";
import { needsSystem, testWith } from "../../support/needs.ts";
import { RawConnection } from "../rpc/raw_connection.ts";
import { service } from "../rpc/served.ts";

testWith(
  needsSystem("linux"),
  "a body that comes a byte at a time is cut off and refused, and nothing of it is left behind",
  async () => {
    const late: { cut?: CutOff } = {};
    const { fetch } = rpcApp({
      service,
      limits: { bodyTimeout: 200 },
      cutOff: { end: (port, onMissing) => late.cut!.end(port, onMissing) },
    });
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, fetch);
    const cut = late.cut = cutOff(server.addr.port);
    for (const length of [900, 50_000, 3_000_000]) {
      using connection = await RawConnection.open(server.addr.port);
      await connection.head({ "content-length": length });
      let over = false;
      const rest = connection.rest().finally(() => over = true);
      // never so many that the body would be whole
      for (let sent = 0; !over && sent < length - 1; sent++) {
        await connection.write(" ").catch(() => {});
        // what has come is read meanwhile
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const answer = await rest;
      // a caller that still writes may hear of the end before it hears why
      if (answer !== "") {
        assertMatch(answer, /^HTTP\/1\.1 408 /);
        assertMatch(answer, /its body did not arrive within 200 ms/);
      }
    }
    const response = await globalThis.fetch(`http://127.0.0.1:${server.addr.port}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "echo", params: [1] }),
    });
    assertEquals((await response.json()).result, 1);
    cut.close();
    await server.shutdown();
    deadlines.settle();
  },
);

Deno.test("cutOff() says so when there is no such connection", async () => {
  const missing = Promise.withResolvers<void>();
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const cut = cutOff(listener.addr.port);
  cut.end(1, missing.resolve);
  await missing.promise;
  cut.close();
});
