/**
 * Bytes as lines.
 *
 * @module
 */

/** The lines of a body, without their ends. The last one counts without an end, too. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines.filter((line) => line !== "");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
