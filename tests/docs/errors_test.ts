import { assertEquals } from "@std/assert";
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

Deno.test("docs/errors.md has every code, each once", () => {
  const told = [...rows(calls), ...rows(commands)].map(([code]) => code!.replaceAll("`", ""));
  assertEquals(told.sort(), Object.keys(CODES).sort());
});

Deno.test("docs/errors.md has the numbers of calls, and which may be made again", () => {
  for (const [code, number, again] of rows(calls)) {
    const { rpc, retryable } = CODES[code!.replaceAll("`", "") as Code];
    assertEquals([code, number, again], [code, String(rpc), retryable ? "yes" : "no"]);
  }
});
