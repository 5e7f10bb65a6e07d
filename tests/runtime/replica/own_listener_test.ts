import { assertEquals } from "@std/assert";
import { addressBytes, ownListener } from "../../../runtime/replica/own_listener.ts";

Deno.test("addressBytes() reads IP addresses and nothing else", () => {
  assertEquals(addressBytes("127.0.0.1"), [127, 0, 0, 1]);
  assertEquals(addressBytes("::"), new Array(16).fill(0));
  assertEquals(addressBytes("::1"), [...new Array(15).fill(0), 1]);
  assertEquals(
    addressBytes("2001:db8::ff00:42:8329"),
    [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x42, 0x83, 0x29],
  );
  for (const text of ["localhost", "1.2.3", "256.1.1.1", "", "::zz", "1.2.3.4.5"]) {
    assertEquals(addressBytes(text), undefined, text);
  }
});

Deno.test({
  name: "ownListener() finds the socket that listens at exactly that address",
  ignore: Deno.build.os !== "linux",
  fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    assertEquals(typeof ownListener(port, "127.0.0.1"), "number");
    assertEquals(ownListener(port, "127.0.0.2"), undefined);
    assertEquals(ownListener(port, "localhost"), undefined);
    assertEquals(ownListener(port === 65535 ? 1024 : port + 1, "127.0.0.1"), undefined);
  },
});
