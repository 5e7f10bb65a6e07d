import { assert, assertEquals } from "@std/assert";
import { type Code, CODES } from "../../runtime/errors.ts";

const page = await Deno.readTextFile(new URL("../../docs/errors.md", import.meta.url));
const [calls = "", commands = ""] = page.split("## Codes of calls")[1]!.split(
  "## Codes of commands",
);

/** The cells of a table's rows. */
function rows(text: string): string[][] {
  return text.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

const codesOf = (text: string) => rows(text).map(([code]) => code!.replaceAll("`", "") as Code);

Deno.test("docs/errors.md has every code of calls, each once", () => {
  // what never comes from a call shares the number of internal_error
  const ofCalls = (Object.keys(CODES) as Code[]).filter((code) =>
    CODES[code].rpc !== CODES.internal_error.rpc || code === "internal_error"
  );
  assertEquals(codesOf(calls).sort(), ofCalls.sort());
});

Deno.test("docs/errors.md has no code of commands that there is not", () => {
  for (const code of codesOf(commands)) assert(Object.hasOwn(CODES, code), code);
});

Deno.test("docs/errors.md has the numbers of calls, and which may be made again", () => {
  for (const [code, number, again] of rows(calls)) {
    const { rpc, retryable } = CODES[code!.replaceAll("`", "") as Code];
    assertEquals([code, number, again], [code, String(rpc), retryable ? "yes" : "no"]);
  }
});
