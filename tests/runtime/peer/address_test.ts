import { assertEquals, assertThrows } from "@std/assert";
import type { Address } from "../../../runtime/launch/address_book.ts";
import { dial, listen, parseAddress, tcpAddress } from "../../../runtime/peer/address.ts";

Deno.test("parseAddress() takes unix and TCP addresses apart", () => {
  assertEquals(parseAddress("unix:/tmp/a b:1/s"), { transport: "unix", path: "/tmp/a b:1/s" });
  assertEquals(parseAddress("tcp:127.0.0.1:3000"), {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 3000,
  });
  assertEquals(parseAddress("tcp:[::1]:80" as Address), {
    transport: "tcp",
    hostname: "::1",
    port: 80,
  });
});

Deno.test("parseAddress() refuses anything else by its text", () => {
  for (const address of ["", "tcp:", "tcp:host", "tcp:host:", "tcp:host:x", "http://a:1"]) {
    assertThrows(() => parseAddress(address as Address), TypeError, JSON.stringify(address));
  }
});

Deno.test("tcpAddress() is what parseAddress() reads", () => {
  for (const hostname of ["localhost", "10.0.0.1", "::1"]) {
    assertEquals(parseAddress(tcpAddress(hostname, 8080)), {
      transport: "tcp",
      hostname,
      port: 8080,
    });
  }
});

Deno.test("listen() and dial() meet at a unix socket, also where an ended process left one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const address: Address = `unix:${folder}/s`;
    await Deno.writeTextFile(`${folder}/s`, "left behind");
    const listener = listen(address);
    const [here, there] = await Promise.all([dial(address), listener.accept()]);
    here.close();
    there.close();
    listener.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("listen() and dial() meet at a TCP port", async () => {
  const listener = listen("tcp:127.0.0.1:0");
  const { hostname, port } = listener.addr as Deno.NetAddr;
  const [here, there] = await Promise.all([dial(tcpAddress(hostname, port)), listener.accept()]);
  here.close();
  there.close();
  listener.close();
});
