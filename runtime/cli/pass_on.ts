/**
 * What another process prints, on the streams of this one.
 *
 * @module
 */

import type { Output } from "./output.ts";

/** Hands on what another process prints, each stream to its like, or all to one. */
export function passOn(
  output: Output,
  to?: "stderr",
): (stream: "stdout" | "stderr", bytes: Uint8Array) => void {
  // a character may be cut in two
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  return (stream, bytes) =>
    output[to ?? stream].sink.write(decoders[stream].decode(bytes, { stream: true }));
}
