import { assertEquals, assertThrows } from "@std/assert";
import { bearerAuth, type BearerAuthOptions } from "../../../runtime/auth/bearer_auth.ts";
import { guardOf } from "../../../runtime/auth/guard.ts";

const handler = () => 1;

function identify(options: BearerAuthOptions, faults: unknown[] = []) {
  const known = guardOf(bearerAuth(handler, options))!.open();
  return async (header: string | undefined) => await known(header, (error) => faults.push(error));
}

Deno.test("bearerAuth() knows users by their tokens, from an object or a map", async () => {
  const named = { "abc-1": "ci", "abc-2": "Éva: Ö" };
  for (const tokens of [named, new Map(Object.entries(named))]) {
    const who = identify({ tokens });
    assertEquals(await who("Bearer abc-1"), "ci");
    assertEquals(await who("bearer abc-2"), "Éva: Ö");
    for (const header of [undefined, "", "Bearer", "Bearer abc", "Bearer abc-11", "abc-1"]) {
      assertEquals(await who(header), undefined);
    }
    for (const header of ["Bearer toString", "Bearer ABC-1", "Basic abc-1", "Bearer abc-1, x"]) {
      assertEquals(await who(header), undefined);
    }
  }
});

Deno.test("bearerAuth() asks a function, and lets nobody in whose check fails", async () => {
  const faults: unknown[] = [];
  const gives = new Map<string, unknown>([
    ["now", "ada"],
    ["soon", Promise.resolve("bob")],
    ["nobody", undefined],
    ["null", null],
    ["later", Promise.resolve(undefined)],
    ["true", true],
    ["empty", ""],
    ["long", "a".repeat(513)],
    ["half", "\udc00"],
    ["line", "a\nb"],
    ["rejects", Promise.reject(new Error("no connection to 10.0.0.7"))],
  ]);
  const verify = (token: string) => {
    if (token === "throws") throw new Error("no such token");
    return gives.get(token) as string;
  };
  const who = identify({ verify }, faults);
  const known: unknown[] = [];
  for (const token of [...gives.keys(), "throws"]) known.push(await who(`Bearer ${token}`));
  assertEquals(known.slice(0, 2), ["ada", "bob"]);
  assertEquals(known.slice(2), known.slice(2).map(() => undefined));
  assertEquals(faults.map(String), [
    "TypeError: verify() gave a user that cannot be one: it is boolean, not a string",
    "TypeError: verify() gave a user that cannot be one: it is empty",
    "TypeError: verify() gave a user that cannot be one: it is longer than 512 bytes",
    "TypeError: verify() gave a user that cannot be one: it holds half a character",
    "TypeError: verify() gave a user that cannot be one: it holds a control character",
    "Error: no connection to 10.0.0.7",
    "Error: no such token",
  ]);
});

Deno.test("bearerAuth() refuses wrong arguments, and shows no token", () => {
  const cases: [unknown, string][] = [
    [undefined, "give it either tokens or verify"],
    [{}, "give it either tokens or verify"],
    [{ tokens: { "secret-1": "a" }, verify: () => "a" }, "give it either tokens or verify"],
    [{ tokens: null }, "its tokens are null"],
    [{ tokens: "secret" }, "its tokens are a string"],
    [{ tokens: {} }, "there are no tokens"],
    [{ tokens: new Map() }, "there are no tokens"],
    [{ tokens: { "secret 1": "ci" } }, 'Cannot take a token of the user "ci"'],
    [{ tokens: { "": "ci" } }, 'Cannot take a token of the user "ci"'],
    [{ tokens: { "secret": "" } }, "Cannot take the user of a token: it is empty"],
    [{ tokens: { "secret": null } }, "Cannot take the user of a token: it is null, not a string"],
    [{ tokens: { "secret": 7 } }, "Cannot take the user of a token: it is number, not a string"],
    [{ verify: "secret" }, "verify is string, not a function"],
    [{ verify: null }, "verify is null, not a function"],
    [{ verify: () => "a", realm: "ä" }, "its realm is not 1 to 200 characters"],
  ];
  for (const [options, message] of cases) {
    const error = assertThrows(
      () => bearerAuth(handler, options as BearerAuthOptions),
      TypeError,
      message,
    );
    assertEquals(error.message.includes("secret"), false, error.message);
  }
  assertThrows(
    () => bearerAuth(7 as unknown as typeof handler, { tokens: { a: "b" } }),
    TypeError,
    "the target is number",
  );
});
