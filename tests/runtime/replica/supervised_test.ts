import { assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { Address, AddressBook } from "../../../runtime/launch/address_book.ts";
import { listen } from "../../../runtime/peer/address.ts";
import { Channel } from "../../../runtime/peer/channel.ts";
import { type Obedience, supervised } from "../../../runtime/replica/supervised.ts";

const book: AddressBook = { revision: "r1", generation: 2, replicas: [], doors: [] };

Deno.test("supervised() says hello, tells, and does what the supervisor asks", async () => {
  const folder = await Deno.makeTempDir();
  const address: Address = `unix:${folder}/s`;
  const listener = listen(address);
  const told: unknown[] = [];
  const asked: unknown[] = [];
  const noted = (what: string) => async (request: unknown) => {
    asked.push([what, request]);
    return await Promise.resolve(null);
  };
  const obedience: Obedience = {
    book: noted("book"),
    up: noted("up"),
    listen: ({ address }) => Promise.resolve({ address }),
    drain: () => Promise.reject(new MpError("overloaded", "not now", { replica: "svc.0" })),
  };
  try {
    const accepted = listener.accept();
    const hello = { replica: "svc.0", pid: 7, secret: "s3cret" };
    const connection = await supervised(address, hello, obedience);
    const launcher = new Channel(await accepted, {
      onNotice: (target, body) => told.push([target, JSON.parse(body)]),
    });
    connection.notify("ready", {});
    connection.notify("failed", { code: "script_failed", message: "no", fatal: false });
    await connection.flush();

    assertEquals(await launcher.call("book", JSON.stringify(book)), "null");
    assertEquals(await launcher.call("up", '["svc.1"]'), "null");
    assertEquals(asked, [["book", book], ["up", ["svc.1"]]]);
    const request = { address: "tcp:127.0.0.1:3000", takeOver: true };
    assertEquals(
      JSON.parse(await launcher.call("listen", JSON.stringify(request))),
      { address: "tcp:127.0.0.1:3000" },
    );
    const refused = await assertRejects(() => launcher.call("drain", "{}"), MpError, "not now");
    assertEquals([refused.code, refused.replica], ["overloaded", "svc.0"]);
    for (const target of ["nothing", "toString", "__proto__"]) {
      const unknown = await assertRejects(() => launcher.call(target, "{}"), MpError);
      assertEquals(unknown.code, "method_not_found");
    }
    assertEquals(told, [
      ["hello", hello],
      ["ready", {}],
      ["failed", { code: "script_failed", message: "no", fatal: false }],
    ]);
    launcher.close();
    await launcher.closed;
  } finally {
    listener.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("supervised() fails when there is no supervisor", async () => {
  await assertRejects(() =>
    supervised("unix:/nowhere/s", { replica: "svc.0", pid: 7, secret: "s" }, {} as Obedience)
  );
});
