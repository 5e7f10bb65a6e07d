import { assertEquals } from "@std/assert";
import { framesOf, timedLines } from "../../../drivers/docker/frames.ts";

function frame(stream: 1 | 2, text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [stream, 0, 0, 0, 0, 0, bytes.length >> 8, bytes.length & 255, ...bytes];
}

const TIME = "2025-01-31T12:00:00.000000001Z";
const NANOSECONDS = BigInt(Date.parse("2025-01-31T12:00:00Z")) * 1_000_000n;

Deno.test("timedLines() puts lines together, however they are cut", async () => {
  const all = [
    ...frame(1, `${TIME} wö`),
    ...frame(2, `${TIME} error\n`),
    ...frame(1, `rd\n2025-01-31T12:00:00.5Z \n2025-01-31T13:00:00+01:00 with no end`),
  ];
  for (const size of [1, 3, 7, 1000]) {
    const pieces = ReadableStream.from(
      Array.from(
        { length: Math.ceil(all.length / size) },
        (_, i) => new Uint8Array(all.slice(i * size, (i + 1) * size)),
      ),
    );
    assertEquals(await Array.fromAsync(timedLines(framesOf(pieces))), [
      { stream: "stderr", nanoseconds: NANOSECONDS + 1n, text: "error" },
      { stream: "stdout", nanoseconds: NANOSECONDS + 1n, text: "wörd" },
      { stream: "stdout", nanoseconds: NANOSECONDS + 500_000_000n, text: "" },
      { stream: "stdout", nanoseconds: NANOSECONDS, text: "with no end" },
    ]);
  }
});
