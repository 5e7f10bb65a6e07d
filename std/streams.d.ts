declare module "@std/streams/text-line-stream" {
  /** Cuts text into lines, without their line ends. */
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
}
