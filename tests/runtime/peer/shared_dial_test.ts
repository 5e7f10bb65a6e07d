import { assertEquals, assertRejects } from "@std/assert";
import type { Address } from "../../../runtime/launch/address_book.ts";
import { sharedDial } from "../../../runtime/peer/shared_dial.ts";

function network() {
  const dialled: string[] = [];
  const down = new Set<string>();
  const dial = (address: Address) => {
    if (down.has(address)) return Promise.reject(new Error(`${address} is down`));
    dialled.push(address);
    return Promise.resolve({
      read: () => Promise.resolve(null),
      write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
      close() {},
    });
  };
  return { dialled, down, dial };
}

Deno.test("sharedDial() spreads connections over all that share a name", async () => {
  const { dial, dialled } = network();
  const shared = sharedDial(dial, () => Promise.resolve(["10.0.0.1", "10.0.0.2", "10.0.0.3"]));
  await Promise.all([1, 2, 3].map(() => shared("tcp:web:4000")));
  assertEquals([...dialled].sort(), [
    "tcp:10.0.0.1:4000",
    "tcp:10.0.0.2:4000",
    "tcp:10.0.0.3:4000",
  ]);
});

Deno.test("sharedDial() connects to the one that has the fewest connections", async () => {
  const { dial, dialled } = network();
  const shared = sharedDial(dial, () => Promise.resolve(["10.0.0.1", "10.0.0.2"]));
  const [first] = [await shared("tcp:web:4000"), await shared("tcp:web:4000")];
  first!.close();
  first!.close();
  await shared("tcp:web:4000");
  assertEquals(dialled[2], dialled[0]);
});

Deno.test("sharedDial() does not count a connection that failed", async () => {
  const { dial, dialled, down } = network();
  let places = ["10.0.0.1"];
  const shared = sharedDial(dial, () => Promise.resolve(places));
  down.add("tcp:10.0.0.1:4000");
  await assertRejects(() => shared("tcp:web:4000"), Error, "is down");
  down.clear();
  await shared("tcp:web:4000");
  places = ["10.0.0.1", "10.0.0.2"];
  await shared("tcp:web:4000");
  assertEquals(dialled, ["tcp:10.0.0.1:4000", "tcp:10.0.0.2:4000"]);
});

Deno.test("sharedDial() says that a name has no address, and finds those of this machine", async () => {
  const { dial, dialled } = network();
  const nobody = sharedDial(dial, () => Promise.resolve([]));
  await assertRejects(() => nobody("tcp:web:4000"), Error, "web has no address");
  await sharedDial(dial)("tcp:127.0.0.1:4000");
  assertEquals(dialled, ["tcp:127.0.0.1:4000"]);
});
