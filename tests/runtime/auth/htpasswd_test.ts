import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseHtpasswd } from "../../../runtime/auth/htpasswd.ts";

const SHA = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=";
const BCRYPT = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC";

Deno.test("parseHtpasswd() reads users of every form, and passes over comments and blank lines", async () => {
  const users = parseHtpasswd(
    `\ufeff# people\r\nada:${SHA}\r\n\r\n  \nÉva Ötvös:${BCRYPT}  \nbob:${SHA}:from the office\n`,
  );
  assert(typeof users === "object", String(users));
  assertEquals([...users.keys()], ["ada", "Éva Ötvös", "bob"]);
  for (const stored of users.values()) assertEquals(await stored.matches("myPassword"), true);
});

Deno.test("parseHtpasswd() names the line that is wrong, and shows no password", () => {
  const cases: [string, string][] = [
    ["", "no user is in it"],
    ["# nobody\n\n", "no user is in it"],
    [`ada:${SHA}\nsecret`, "line 2 has no colon between a name and a password"],
    [`:${SHA}`, "line 1 has no name that can be used: it is empty"],
    [`a\tb:${SHA}`, "line 1 has no name that can be used: it holds a control character"],
    [
      `${"a".repeat(513)}:${SHA}`,
      "line 1 has no name that can be used: it is longer than 512 bytes",
    ],
    [`ada:${SHA}\n\nada:${BCRYPT}`, 'line 3 names "ada" again, after line 1'],
    [
      "\nada:secret",
      'line 2 has a password for "ada" that cannot be used: it is neither bcrypt ($2y$) nor {SHA} nor $apr1$',
    ],
    [
      "ada:",
      'line 1 has a password for "ada" that cannot be used: it is neither bcrypt ($2y$) nor {SHA} nor $apr1$',
    ],
    [
      `ada:${BCRYPT.replace("$05$", "$20$")}`,
      'line 1 has a password for "ada" that cannot be used: its cost is 20, not from 4 to 16',
    ],
  ];
  for (const [text, problem] of cases) assertEquals(parseHtpasswd(text), problem);
});

Deno.test("parseHtpasswd() knows names such as __proto__ and constructor as names", () => {
  const users = parseHtpasswd(`__proto__:${SHA}\nconstructor:${SHA}`);
  assert(typeof users === "object");
  assertEquals([...users.keys()], ["__proto__", "constructor"]);
  assertEquals(users.get("toString"), undefined);
});

Deno.test("parseHtpasswd() has an answer to any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const users = parseHtpasswd(text);
    assert(typeof users === "string" ? users !== "" : users.size > 0);
  }));
});
