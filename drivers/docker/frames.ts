/**
 * What containers write, as the Engine API frames it.
 *
 * @module
 */

/** A piece of what was written to one of the two streams. */
export interface Frame {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

const HEADER = 8;

/** Takes frames apart: eight bytes of stream and length, then so many of what was written. */
export async function* framesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let rest = new Uint8Array(0);
  for await (const piece of pieces) {
    const joined = new Uint8Array(rest.length + piece.length);
    joined.set(rest);
    joined.set(piece, rest.length);
    let at = 0;
    while (at + HEADER <= joined.length) {
      const length = new DataView(joined.buffer, at + 4, 4).getUint32(0);
      if (at + HEADER + length > joined.length) break;
      const stream = joined[at] === 2 ? "stderr" : "stdout";
      yield { stream, bytes: joined.subarray(at + HEADER, at + HEADER + length) };
      at += HEADER + length;
    }
    rest = joined.slice(at);
  }
}

/** A line that a container wrote, and when. */
export interface TimedLine {
  readonly stream: Frame["stream"];
  /** In nanoseconds since the epoch, as text: more than a number holds. */
  readonly nanoseconds: bigint;
  readonly text: string;
}

/** The lines in frames that the engine has put a time before. */
export async function* timedLines(frames: AsyncIterable<Frame>): AsyncGenerator<TimedLine> {
  const rests = { stdout: "", stderr: "" };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const { stream, bytes } of frames) {
    const lines = (rests[stream] + decoders[stream].decode(bytes, { stream: true })).split("\n");
    rests[stream] = lines.pop()!;
    for (const line of lines) {
      const timed = timedLine(stream, line);
      if (timed) yield timed;
    }
  }
  // what a container that was killed wrote last may have no end
  for (const stream of ["stdout", "stderr"] as const) {
    const timed = timedLine(stream, rests[stream]);
    if (timed) yield timed;
  }
}

function timedLine(stream: Frame["stream"], line: string): TimedLine | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) (.*)$/s.exec(
    line,
  );
  if (!match) return undefined;
  const [time, fraction = "", zone, text] = [match[1]!, match[2], match[3]!, match[4]!];
  const seconds = BigInt(Date.parse(`${time}${zone}`)) * 1_000_000n;
  return {
    stream,
    nanoseconds: seconds + BigInt(fraction.padEnd(9, "0")),
    text: text.replace(/\r$/, ""),
  };
}
