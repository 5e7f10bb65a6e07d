import { assertEquals } from "@std/assert";
import { LineSplitter, type LineSplitterOptions } from "../../../drivers/process/line_splitter.ts";

/** The lines of a text that comes in pieces of `size` bytes. */
function split(text: string, size = Infinity, options?: LineSplitterOptions): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), options);
  const bytes = new TextEncoder().encode(text);
  for (let start = 0; start < bytes.length; start += size) {
    splitter.push(bytes.subarray(start, start + size));
  }
  splitter.end();
  return lines;
}

Deno.test("LineSplitter gives the same lines in whatever pieces they come", () => {
  const text = "one\n\nzwei Ünï\r\n三つ 🎉🎉\n\nlast";
  for (const size of [1, 2, 3, 4, 5, 7, 11, Infinity]) {
    assertEquals(split(text, size), ["one", "", "zwei Ünï", "三つ 🎉🎉", "", "last"], `${size}`);
  }
});

Deno.test("LineSplitter gives a last line without an end, and no empty one after an end", () => {
  assertEquals(split("a\nb"), ["a", "b"]);
  assertEquals(split("a\n"), ["a"]);
  assertEquals(split(""), []);
});

Deno.test("LineSplitter cuts long lines between characters, and says by how much", () => {
  for (const size of [1, 3, 1000, Infinity]) {
    assertEquals(
      split(`short\n${"é".repeat(6)}\n${"x".repeat(10)}\n${"y".repeat(11)}\nend`, size, {
        longest: 11,
      }),
      ["short", "ééééé… (1 more bytes)", "x".repeat(10), "y".repeat(11), "end"],
      `${size}`,
    );
  }
});

Deno.test("LineSplitter does not keep the whole of a line that never ends", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), { longest: 1000 });
  const chunk = new Uint8Array(65_536).fill(120);
  for (let i = 0; i < 100; i++) splitter.push(chunk);
  splitter.end();
  assertEquals(lines, [`${"x".repeat(1000)}… (${100 * 65_536 - 1000} more bytes)`]);
});
