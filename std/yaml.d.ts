declare module "@std/yaml" {
  /** Parses one YAML document. Throws a `SyntaxError` that names the position. */
  export function parse(text: string): unknown;

  /** Parses all documents of a YAML stream. */
  export function parseAll(text: string): unknown[];

  /** Writes a value as YAML. */
  export function stringify(value: unknown, options?: StringifyOptions): string;

  /** Options of {@linkcode stringify}. */
  export interface StringifyOptions {
    /** The longest line before text is folded; -1 folds nothing. */
    lineWidth?: number;
    /** Whether a value that appears more than once is written again each time. */
    useAnchors?: boolean;
    /** Whether undefined values are left out instead of being an error. */
    skipInvalid?: boolean;
    /** Whether strings that other parsers take for something else are in quotes. */
    compatMode?: boolean;
  }
}
