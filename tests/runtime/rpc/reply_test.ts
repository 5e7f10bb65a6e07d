import { assertEquals } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { batchReply, errorReply, resultReply } from "../../../runtime/rpc/reply.ts";

Deno.test("resultReply() takes the result's text as it is", () => {
  assertEquals(resultReply(1, '{ "a" :1e2}'), '{"jsonrpc":"2.0","id":1,"result":{ "a" :1e2}}');
});

Deno.test("resultReply() has a result where the handler had none", () => {
  assertEquals(resultReply(1, ""), '{"jsonrpc":"2.0","id":1,"result":null}');
});

Deno.test("resultReply() echoes ids of every legal kind", () => {
  for (const id of ["a", "", '"\\\n\u2028é', 0, -7, 1.5, 1e21, 5e-324, null]) {
    assertEquals(JSON.parse(resultReply(id, "1")).id, id);
  }
  assertEquals(JSON.parse(resultReply(Infinity, "1")).id, null);
});

Deno.test("errorReply() has the number, the code, the service, the replica and the reason", () => {
  const error = new MpError("replica_unreachable", 'Cannot call "a": it is away', {
    service: "a",
    replica: "a.scatter.3",
    reason: "absent",
    where: "topology.ts:3:12",
    cause: new Error("hidden"),
  });
  assertEquals(JSON.parse(errorReply("x", error, { service: "b", replica: "b.0" })), {
    jsonrpc: "2.0",
    id: "x",
    error: {
      code: -32002,
      message: 'Cannot call "a": it is away',
      data: {
        code: "replica_unreachable",
        service: "a",
        replica: "a.scatter.3",
        reason: "absent",
      },
    },
  });
});

Deno.test("errorReply() says where a call failed when the error does not", () => {
  const error = new MpError("deadline_exceeded", "Cannot call: too late");
  assertEquals(JSON.parse(errorReply(1, error, { service: "b", replica: "b.0" })).error.data, {
    code: "deadline_exceeded",
    service: "b",
    replica: "b.0",
  });
});

Deno.test("errorReply() makes handler_failed of anything else that is thrown", () => {
  const thrown: [unknown, string][] = [
    [new Error("out of stock"), "out of stock"],
    [new TypeError("x is not a function"), "x is not a function"],
    ["a string", "a string"],
    [undefined, "undefined"],
    [{ toString: () => "shown" }, "shown"],
    [Object.create(null), "a value that cannot be shown"],
  ];
  for (const [error, message] of thrown) {
    const reply = JSON.parse(errorReply(1, error, { service: "b" }));
    assertEquals(reply.error, {
      code: -32000,
      message,
      data: { code: "handler_failed", service: "b", reason: "threw" },
    });
  }
});

Deno.test("errorReply() carries no stack and no path", () => {
  const error = new Error("cannot read '/home/me/a.txt'\n    at f (file:///home/me/x.ts:1:2)");
  assertEquals(JSON.parse(errorReply(1, error)).error.message, "cannot read 'a.txt'");
});

Deno.test("batchReply() leaves notifications out, and is empty when nothing else is there", () => {
  assertEquals(batchReply(["1", "", "2"]), "[1,2]");
  assertEquals(batchReply(["", ""]), "");
});
