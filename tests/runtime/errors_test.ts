import { assert, assertEquals, assertFalse, assertInstanceOf } from "@std/assert";
import { type Code, CODES, type ErrorData, messageOf, MpError } from "../../runtime/errors.ts";

Deno.test("CODES give each error of a call a number of its own, in JSON-RPC's ranges", () => {
  const numbers = new Map<number, string[]>();
  for (const [code, { rpc, exit }] of Object.entries(CODES)) {
    assert(exit === 1 || exit === 2, code);
    assert(rpc >= -32768 && rpc <= -32000, code);
    numbers.set(rpc, [...numbers.get(rpc) ?? [], code]);
  }
  for (const [number, codes] of numbers) {
    if (number !== -32603) assertEquals(codes.length, 1, `${number}: ${codes}`);
  }
  assert(Object.isFrozen(CODES) && Object.values(CODES).every(Object.isFrozen));
});

Deno.test("CODES keep the numbers that callers may rely on", () => {
  const numbers: Partial<Record<Code, number>> = {
    parse_error: -32700,
    invalid_request: -32600,
    method_not_found: -32601,
    invalid_params: -32602,
    internal_error: -32603,
    handler_failed: -32000,
    deadline_exceeded: -32001,
    replica_unreachable: -32002,
    unauthorized: -32003,
    overloaded: -32004,
    scope_conflict: -32005,
    commit_unknown: -32006,
    storage_unavailable: -32007,
    scope_after_effect: -32008,
    invalid_shard_key: -32009,
    not_json: -32010,
    cancelled: -32011,
    request_too_large: -32012,
  };
  for (const [code, number] of Object.entries(numbers)) {
    assertEquals(CODES[code as Code].rpc, number, code);
  }
});

Deno.test("MpError holds what it is made of", () => {
  const cause = new Error("because");
  const options = {
    cause,
    where: "topology.ts:3:12",
    next: "Do that",
    service: "s",
    replica: "s.0",
    reason: "absent",
  };
  const error = new MpError("replica_unreachable", "Cannot reach s.0", options);
  assertInstanceOf(error, Error);
  assertEquals([error.name, error.message], ["MpError", "Cannot reach s.0"]);
  const { code, where, next, service, replica, reason } = error;
  assertEquals({ cause: error.cause, where, next, service, replica, reason }, options);
  assertEquals(code, "replica_unreachable");
  assertFalse("cause" in new MpError("usage", "Unknown option"));
});

Deno.test("MpError.retryable is what the table says of its code", () => {
  assert(new MpError("overloaded", "").retryable);
  assert(new MpError("deadline_exceeded", "").retryable);
  assertFalse(new MpError("handler_failed", "").retryable);
  // whether it happened is not known, so that it must not simply be done again
  assertFalse(new MpError("commit_unknown", "").retryable);
});

Deno.test("MpError.toData() says nothing of the machine, and only what is there", () => {
  const bare = new MpError("usage", "Unknown option", {
    cause: new Error("secret"),
    where: "/home/me/topology.ts",
    next: "Do that",
  });
  assertEquals(bare.toData(), { code: "usage", message: "Unknown option", next: "Do that" });
  assertEquals(Object.keys(new MpError("usage", "no").toData()), ["code", "message"]);
  const data: ErrorData = {
    code: "handler_failed",
    message: "no",
    service: "s",
    replica: "s.0",
    reason: "threw",
    next: "Do that",
  };
  const { code, message, ...rest } = data;
  assertEquals(new MpError(code, message, rest).toData(), data);
});

Deno.test("MpError.fromData() undoes toData(), through JSON", () => {
  for (const code of Object.keys(CODES) as Code[]) {
    const error = new MpError(code, "m", { service: "s", replica: "r", reason: "w" });
    const copy = MpError.fromData(JSON.parse(JSON.stringify(error.toData())));
    assertInstanceOf(copy, MpError);
    assertEquals(copy.toData(), error.toData());
  }
});

Deno.test("MpError.fromData() takes a code that it does not know for internal_error", () => {
  for (const code of ["from_the_future", "toString", "__proto__", "constructor"]) {
    const error = MpError.fromData({ code: code as Code, message: "m" });
    assertEquals([error.code, error.message, error.retryable], ["internal_error", "m", false]);
  }
});

Deno.test("MpError.fromData() takes no cause and no place of the machine from the wire", () => {
  const error = MpError.fromData(
    { code: "usage", message: "m", cause: "c", where: "/home", next: "n" } as ErrorData,
  );
  assertEquals([error.cause, error.where, error.next], [undefined, undefined, "n"]);
});

Deno.test("messageOf() has a text for anything that was thrown", () => {
  const cases: [unknown, string][] = [
    [new Error("no"), "no"],
    [new MpError("usage", "wrong"), "wrong"],
    ["text", "text"],
    [7, "7"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [{}, "[object Object]"],
    [{ message: "no", code: 5 }, "no"],
    [{ message: 5 }, "[object Object]"],
    [Object.create(null), "a value that cannot be shown"],
    [{
      toString() {
        throw new Error("no");
      },
    }, "a value that cannot be shown"],
  ];
  for (const [thrown, message] of cases) assertEquals(messageOf(thrown), message);
});
