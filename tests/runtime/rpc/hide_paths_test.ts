import { assert, assertEquals } from "@std/assert";
import { hidePaths } from "../../../runtime/rpc/hide_paths.ts";

Deno.test("hidePaths() cuts paths of the machine down to their last part", () => {
  const cases: [string, string][] = [
    ["No such file: readfile '/etc/nope/secret.txt'", "No such file: readfile 'secret.txt'"],
    ["cannot read /home/me/app/data.json: gone", "cannot read data.json: gone"],
    ["file:///srv/x/y.ts:3:4 boom", "y.ts:3:4 boom"],
    ["file:///C:/Users/me/y.ts:3:4 boom", "y.ts:3:4 boom"],
    ["C:\\Users\\me\\x.txt is missing", "x.txt is missing"],
    ["\\\\server\\share\\x.doc is missing", "x.doc is missing"],
    ["path=/tmp/a/b (/var/lib/x)", "path=b (x)"],
  ];
  for (const [message, shown] of cases) assertEquals(hidePaths(message), shown);
});

Deno.test("hidePaths() keeps what only looks like one", () => {
  const messages = [
    "GET /api/users/42 failed",
    "a/b and/or 1/2",
    "https://example.com/home/me/x",
    "see http://localhost:3000/usr/lib",
    "/tmp",
    "at noon\n  and later",
  ];
  for (const message of messages) assertEquals(hidePaths(message), message);
});

Deno.test("hidePaths() leaves a stack out", () => {
  assertEquals(hidePaths("boom\n    at f (x.ts:1:2)\n    at g (x.ts:3:4)"), "boom");
});

Deno.test("hidePaths() takes linear time", () => {
  for (const text of ["/tmp/", "/", "file:/", "\\\\a", "\n ", " ", "C:\\", "a/"]) {
    const started = performance.now();
    hidePaths("/home/" + text.repeat(200_000));
    // quadratic time would be minutes
    assert(performance.now() - started < 5000, JSON.stringify(text));
  }
});
