// deno-lint-ignore-file no-control-regex -- what a terminal is told begins with one
import { assertEquals } from "@std/assert";
import { liveBlock } from "../../../runtime/cli/live_block.ts";
import { memoryOutput } from "./memory_output.ts";

/** What a terminal shows after it was sent `text`: only what a block uses is understood. */
function screen(text: string): string[] {
  let rows: string[] = [""];
  let row = 0;
  for (const [piece] of text.matchAll(/\x1b\[[?\d]*[A-Za-z]|\r|\n|[^\x1b\r\n]+/g)) {
    const up = /^\x1b\[(\d+)A$/.exec(piece);
    if (up) row -= Number(up[1]);
    else if (piece === "\x1b[0J") rows = [...rows.slice(0, row), ""];
    else if (piece === "\n") rows[++row] ??= "";
    else if (!/^(\x1b|\r)/.test(piece)) rows[row] += piece;
  }
  return rows;
}

Deno.test("draw() replaces the lines that were drawn before", () => {
  const { output, all } = memoryOutput();
  const block = liveBlock(output.stderr.sink);
  block.draw(["0/2", "a", "b"]);
  block.draw(["1/2", "a", "b"]);
  block.draw(["2/2"]);
  assertEquals(screen(all()), ["2/2", ""]);
});

Deno.test("draw() writes nothing when nothing has changed", () => {
  const { output, all } = memoryOutput();
  const block = liveBlock(output.stderr.sink);
  block.draw(["a"]);
  const once = all();
  block.draw(["a"]);
  assertEquals(all(), once);
});

Deno.test("above() puts text over the lines", () => {
  const { output, all } = memoryOutput();
  const block = liveBlock(output.stderr.sink);
  block.draw(["1/2"]);
  block.above("hello\n");
  block.draw(["2/2"]);
  assertEquals(screen(all()), ["hello", "2/2", ""]);
});

Deno.test("keep() leaves the lines where they are", () => {
  const { output, all } = memoryOutput();
  const block = liveBlock(output.stderr.sink);
  block.draw(["2/2"]);
  block.keep();
  block.above("next\n");
  assertEquals(screen(all()), ["2/2", "next", ""]);
});
