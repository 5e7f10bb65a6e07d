import { assertEquals, assertThrows } from "@std/assert";
import { callerTarget } from "../../../runtime/cli/caller.ts";
import { MpError } from "../../../runtime/errors.ts";
import { basic } from "../auth/headers.ts";

const nobody = { user: undefined, token: undefined };
const url = "http://10.0.0.7:3000/";

Deno.test("callerTarget() calls for nobody unless told", () => {
  assertEquals(callerTarget("10.0.0.7:3000", nobody), { url, authorization: undefined });
  assertEquals(callerTarget("https://a.example", nobody).url, "https://a.example/");
  assertEquals(callerTarget("HTTPS://a.example", nobody).url, "https://a.example/");
});

Deno.test("callerTarget() makes the header of a name and a password, or of a token", () => {
  for (const pair of ["ada:lovelace", "ada:love:lace", "ada:", "Éva Ö:pässword 🔑"]) {
    assertEquals(callerTarget(url, { ...nobody, user: pair }), { url, authorization: basic(pair) });
  }
  assertEquals(
    callerTarget(url, { ...nobody, token: "abc.D-1=" }).authorization,
    "Bearer abc.D-1=",
  );
});

Deno.test("callerTarget() takes a name and a password out of the URL", () => {
  const cases = [
    ["http://ada:lovelace@10.0.0.7:3000", "ada:lovelace"],
    ["ada:lovelace@10.0.0.7:3000", "ada:lovelace"],
    ["http://ada:p%40ss%3A%2F%25@10.0.0.7:3000/", "ada:p@ss:/%"],
    ["http://%C3%89va:p%C3%A4ss@10.0.0.7:3000/", "Éva:päss"],
    ["http://ada@10.0.0.7:3000", "ada:"],
  ] as const;
  for (const [given, pair] of cases) {
    assertEquals(callerTarget(given, nobody), { url, authorization: basic(pair) });
  }
});

Deno.test("callerTarget() refuses what it cannot use, and shows nothing of it", () => {
  const secret = "hunter2";
  const cases: [string, { user?: string; token?: string }, string][] = [
    [url, { user: secret }, "Cannot read --user: it is not NAME:PASSWORD"],
    [url, { user: `:${secret}` }, "Cannot read --user: it is not NAME:PASSWORD"],
    [url, { user: `ada:${secret}\n` }, "Cannot read --user: it holds a control character"],
    [url, { token: `${secret} x` }, "Cannot read --token: it holds a character that no token has"],
    [url, { token: `${secret}é` }, "Cannot read --token: it holds a character that no token has"],
    [
      url,
      { user: `ada:${secret}`, token: secret },
      "Cannot tell who calls: it is said more than once",
    ],
    [
      `http://ada:${secret}@a.example`,
      { user: `bob:${secret}` },
      "Cannot tell who calls: it is said more than once",
    ],
    [
      `http://ada:${secret}@a.example`,
      { token: secret },
      "Cannot tell who calls: it is said more than once",
    ],
    [
      `http://ada:${secret}@a.example:99999`,
      {},
      'Cannot read --url "http://…@a.example:99999": it is not a URL',
    ],
    [`ada:${secret}@`, {}, 'Cannot read --url "…@": it is not a URL'],
    [`http://a@b:${secret}@ x`, {}, 'Cannot read --url "http://…@ x": it is not a URL'],
    [
      `http://ada:${secret}%ff@a.example`,
      {},
      "Cannot read --url: its name or password has a % that escapes nothing",
    ],
    ["http://", {}, 'Cannot read --url "http://": it is not a URL'],
    [
      `ftp://ada:${secret}@a.example`,
      {},
      'Cannot read --url "…@a.example": it begins neither with http:// nor https://',
    ],
  ];
  for (const [given, options, message] of cases) {
    const error = assertThrows(() => callerTarget(given, { ...nobody, ...options }), MpError);
    assertEquals([error.code, error.message], ["usage", message]);
    assertEquals(error.next?.includes(secret) ?? false, false);
  }
});
