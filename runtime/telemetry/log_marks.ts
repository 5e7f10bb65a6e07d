/**
 * Of which request a line of output is: told within the output itself, by marks that whoever reads it
 * takes out again. Pure.
 *
 * A mark is `␞<request id>[ <trace id>]␟`, and holds until the next; `␞␟` stands for no request.
 *
 * @module
 */

/** The request in which a line was printed. */
export interface LogOrigin {
  readonly requestId: string;
  readonly traceId?: string;
}

/** A line without its marks. */
export interface UnmarkedLine {
  readonly text: string;
  /** Of which request it is. */
  readonly origin: LogOrigin | undefined;
  /** Of which the next one is, unless it says something else. */
  readonly next: LogOrigin | undefined;
}

const BEGIN = "\x1e";
const END = "\x1f";
// deno-lint-ignore no-control-regex -- chosen since nobody prints them
const MARK = /\x1e([^\x1e\x1f]*)\x1f/;

/** The mark of what is printed from now on. */
export function logMark(origin: LogOrigin | undefined): string {
  if (origin === undefined) return BEGIN + END;
  const { requestId, traceId } = origin;
  return BEGIN + (traceId === undefined ? requestId : `${requestId} ${traceId}`) + END;
}

/**
 * Takes the marks out of a line.
 *
 * @param line Without its end.
 * @param before Of which request it is unless it says something else.
 */
export function unmarkLine(line: string, before: LogOrigin | undefined): UnmarkedLine {
  if (!line.includes(BEGIN)) return { text: line, origin: before, next: before };
  // every other piece is what stands in a mark
  const pieces = line.split(MARK);
  let text = pieces[0]!;
  // what a line began with in a request belongs to it, whatever else comes
  let origin = text === "" ? undefined : before;
  let next = before;
  for (let i = 1; i < pieces.length; i += 2) {
    next = readMark(pieces[i]!);
    text += pieces[i + 1];
    if (pieces[i + 1] !== "") origin ??= next;
  }
  return { text, origin: text === "" ? next : origin, next };
}

function readMark(text: string): LogOrigin | undefined {
  if (text === "") return undefined;
  const [requestId = "", traceId] = text.split(" ");
  return { requestId, ...(traceId !== undefined && { traceId }) };
}
