import { assertEquals } from "@std/assert";
import { formatDuration, readDuration } from "../../../runtime/cli/duration.ts";

Deno.test("readDuration() reads numbers with units", () => {
  const written = {
    "500ms": 500,
    "30s": 30_000,
    "1.5h": 5_400_000,
    "1h30m": 5_400_000,
    "2d": 172_800_000,
  };
  for (const [text, milliseconds] of Object.entries(written)) {
    assertEquals(readDuration(text), milliseconds, text);
  }
});

Deno.test("readDuration() takes a bare number for seconds", () => {
  assertEquals(readDuration("5"), 5000);
  assertEquals(readDuration("0.25"), 250);
});

Deno.test("readDuration() refuses everything else", () => {
  for (const text of ["", "s", "-5s", "5 s", "5x", "1h30", "Infinity", "5s x"]) {
    assertEquals(readDuration(text), undefined, text);
  }
});

Deno.test("formatDuration() writes the two largest units", () => {
  assertEquals(formatDuration(4_300), "4 s");
  assertEquals(formatDuration(125_000), "2 min 5 s");
  assertEquals(formatDuration(3 * 3_600_000 + 240_000 + 9_000), "3 h 4 min");
  assertEquals(formatDuration(49 * 3_600_000), "2 d 1 h");
  assertEquals(formatDuration(120_000), "2 min");
  assertEquals(formatDuration(-5), "0 s");
});
