declare module "@std/jsonc" {
  /** Parses JSON with comments and trailing commas. Throws a `SyntaxError` that names the position. */
  export function parse(text: string): unknown;
}
