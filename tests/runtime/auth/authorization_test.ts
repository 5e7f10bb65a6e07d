import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isToken, readBasic, readBearer } from "../../../runtime/auth/authorization.ts";
import { base64, basic } from "./headers.ts";

const claims = (user: string, password: string) => ({ user, password });

Deno.test("readBasic() reads name and password, up to the first colon", () => {
  assertEquals(readBasic(basic("ada:lovelace")), claims("ada", "lovelace"));
  assertEquals(readBasic(basic("ada:love:lace:")), claims("ada", "love:lace:"));
  assertEquals(readBasic(basic("ada:")), claims("ada", ""));
  assertEquals(readBasic(basic("Éva 日本:pässwörd 🔑")), claims("Éva 日本", "pässwörd 🔑"));
  // a byte order mark is a character like others
  assertEquals(readBasic(basic("\ufeffada:x")), claims("\ufeffada", "x"));
});

Deno.test("readBasic() takes the scheme in any case, behind it any spaces, and base64 without its end", () => {
  for (const scheme of ["basic", "BASIC", "bAsIc", "Basic  "]) {
    assertEquals(readBasic(`${scheme} ${base64("ada:pw")}`), claims("ada", "pw"));
  }
  assertEquals(readBasic(`Basic ${base64("ada:pass").replace(/=+$/, "")}`), claims("ada", "pass"));
});

Deno.test("readBasic() takes nothing else", () => {
  const hostile: (string | undefined)[] = [
    undefined,
    "",
    "Basic",
    "Basic ",
    "Basic =",
    "Basic ====",
    "Basic a",
    "Basic YQ=",
    "Basic YQ===",
    "Basic YW Rh",
    "Basic YWRh!",
    "Basic YWRhOnB3\u00a0",
    `Basic ${base64("ada:pw")}=`,
    // url-safe base64 is another alphabet
    "Basic YWRhOj8_Pz8-",
    // no colon
    basic("ada"),
    basic(""),
    // no name
    basic(":"),
    basic(":pw"),
    // control characters
    basic("ada\0:pw"),
    basic("ada:p\nw"),
    basic("a\tda:pw"),
    basic("ada:pw\x7f"),
    // neither UTF-8 …
    `Basic ${btoa("ada\xff:pw")}`,
    `Basic ${btoa("\xc3:pw")}`,
    `Basic ${btoa("ada:\xed\xa0\x80")}`,
    `Basic ${btoa("ada:\xc0\x80")}`,
    // several headers
    `${basic("ada:pw")}, ${basic("ada:pw")}`,
    `${basic("ada:pw")},Bearer x`,
    `Bearer x, ${basic("ada:pw")}`,
    // other schemes
    `Digest ${base64("ada:pw")}`,
    `Bearer ${base64("ada:pw")}`,
    `XBasic ${base64("ada:pw")}`,
    `Basic: ${base64("ada:pw")}`,
    base64("ada:pw"),
    // too long
    basic(`${"a".repeat(513)}:pw`),
    basic(`${"é".repeat(257)}:pw`),
    basic(`ada:${"p".repeat(10_000)}`),
    `Basic ${"A".repeat(1_000_000)}`,
    `Basic ${" ".repeat(1_000_000)}YWRhOnB3`,
  ];
  for (const header of hostile) {
    assertEquals(readBasic(header), undefined, header?.slice(0, 60));
  }
});

Deno.test("readBasic() takes names of up to 512 bytes", () => {
  assertEquals(readBasic(basic(`${"é".repeat(256)}:pw`))?.user, "é".repeat(256));
});

Deno.test("readBasic() gives whatever was encoded, and throws for nothing", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 60 });
  fc.assert(fc.property(text, text, (user, password) => {
    // deno-lint-ignore no-control-regex -- that is what is left out
    const plain = (part: string) => part.replace(/[\x00-\x1f\x7f]/g, "");
    const [name, secret] = [`u${plain(user).replaceAll(":", "")}`, plain(password)];
    assertEquals(readBasic(basic(`${name}:${secret}`)), claims(name, secret));
  }));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (garbage) => {
    for (const header of [garbage, `Basic ${garbage}`, `Bearer ${garbage}`]) {
      readBasic(header);
      readBearer(header);
    }
  }));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    readBasic(`Basic ${btoa(String.fromCharCode(...bytes))}`);
  }));
});

Deno.test("readBearer() reads a token, and nothing else", () => {
  assertEquals(readBearer("Bearer abc.DEF-1_2~+/=="), "abc.DEF-1_2~+/==");
  assertEquals(readBearer("bearer  x"), "x");
  const hostile = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer =",
    "Bearer a b",
    "Bearer a,Bearer a",
    "Bearer a, Bearer a",
    "Bearer ä",
    "Bearer a=b",
    "Bearer 'a'",
    "Basic a",
    "a",
    `Bearer ${"a".repeat(10_000)}`,
  ];
  for (const header of hostile) assertEquals(readBearer(header), undefined, header?.slice(0, 60));
});

Deno.test("isToken() is true for what readBearer() can give", () => {
  for (const token of ["a", "0a8ff61c-1d0c", "a.b.c", "a==", "a".repeat(8000)]) {
    assertEquals([isToken(token), readBearer(`Bearer ${token}`)], [true, token]);
  }
  for (const token of ["", " ", "=", "a b", "é", "a\n", "\na", "a,b", "a".repeat(8190)]) {
    assertEquals(isToken(token), false, token.slice(0, 20));
  }
});
