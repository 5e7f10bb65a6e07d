/**
 * Where text stops being JSON.
 *
 * @module
 */

/** Where text stops being JSON. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** What is wrong there: `a value is missing`, `"x" was not expected`. */
  readonly problem: string;
}

const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Finds the first place where text is not JSON. The runtime's own parser names it for some texts only.
 *
 * @returns Nothing when the text is one JSON value.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  let at = 0;
  const skip = () => at = endOfSpace(text, at);
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const takeText = (): boolean => {
    const end = endOfText(text, at);
    if (end !== undefined) at = end;
    return end !== undefined;
  };
  // what closes, innermost last
  const open: ("]" | "}")[] = [];
  let expects: "value" | "key" | "next" = "value";
  for (skip(); at < text.length; skip()) {
    const char = text[at]!;
    if (expects === "next") {
      if (open.length === 0) return fault(text, at, `${shown(text, at)} follows the value`);
      if (char === open.at(-1)) open.pop();
      else if (char === ",") expects = open.at(-1) === "}" ? "key" : "value";
      else return fault(text, at, `"," or "${open.at(-1)}" is missing`);
      at++;
    } else if (expects === "key") {
      if (!takeText()) return fault(text, at, "a name in double quotes is missing");
      skip();
      if (text[at] !== ":") return fault(text, at, '":" is missing');
      at++;
      expects = "value";
    } else if (char === "[" || char === "{") {
      at++;
      skip();
      open.push(char === "[" ? "]" : "}");
      if (text[at] === open.at(-1)) {
        open.pop();
        at++;
        expects = "next";
      } else expects = char === "[" ? "value" : "key";
    } else if (char === '"' ? takeText() : take(SCALAR)) {
      expects = "next";
    } else {
      return fault(
        text,
        at,
        char === '"'
          ? "a text is not closed, or holds what JSON forbids"
          : `${shown(text, at)} was not expected`,
      );
    }
  }
  if (expects === "next" && open.length === 0) return undefined;
  return fault(text, at, expects === "next" ? `"${open.at(-1)}" is missing` : "a value is missing");
}

/** Where a text in double quotes ends, if it does; by a loop, for an expression runs out of stack where it is long. */
function endOfText(text: string, start: number): number | undefined {
  if (text[start] !== '"') return undefined;
  for (let at = start + 1; at < text.length;) {
    const char = text[at]!;
    if (char === '"') return at + 1;
    if (char < " ") return undefined;
    if (char === "\\") {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) return undefined;
      at = ESCAPE.lastIndex;
    } else at++;
  }
  return undefined;
}

function endOfSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

function fault(text: string, at: number, problem: string): JsonFault {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1, problem };
}

function shown(text: string, at: number): string {
  return `"${/^(?:\w+|[^])/.exec(text.slice(at))![0].slice(0, 20)}"`;
}
