declare module "@std/fmt/colors" {
  /** A colour of 24 bits. */
  export interface Rgb {
    r: number;
    g: number;
    b: number;
  }

  /** Whether the functions of this module colour; off when `NO_COLOR` is set. */
  export function getColorEnabled(): boolean;
  export function setColorEnabled(value: boolean): void;
  /** The text without any colours. */
  export function stripAnsiCode(string: string): string;
  export function rgb8(str: string, color: number): string;
  export function bgRgb8(str: string, color: number): string;
  export function rgb24(str: string, color: number | Rgb): string;
  export function bgRgb24(str: string, color: number | Rgb): string;

  export function reset(str: string): string;
  export function bold(str: string): string;
  export function dim(str: string): string;
  export function italic(str: string): string;
  export function underline(str: string): string;
  export function inverse(str: string): string;
  export function hidden(str: string): string;
  export function strikethrough(str: string): string;
  export function black(str: string): string;
  export function red(str: string): string;
  export function green(str: string): string;
  export function yellow(str: string): string;
  export function blue(str: string): string;
  export function magenta(str: string): string;
  export function cyan(str: string): string;
  export function white(str: string): string;
  export function gray(str: string): string;
  export function brightBlack(str: string): string;
  export function brightRed(str: string): string;
  export function brightGreen(str: string): string;
  export function brightYellow(str: string): string;
  export function brightBlue(str: string): string;
  export function brightMagenta(str: string): string;
  export function brightCyan(str: string): string;
  export function brightWhite(str: string): string;
  export function bgBlack(str: string): string;
  export function bgRed(str: string): string;
  export function bgGreen(str: string): string;
  export function bgYellow(str: string): string;
  export function bgBlue(str: string): string;
  export function bgMagenta(str: string): string;
  export function bgCyan(str: string): string;
  export function bgWhite(str: string): string;
  export function bgBrightBlack(str: string): string;
  export function bgBrightRed(str: string): string;
  export function bgBrightGreen(str: string): string;
  export function bgBrightYellow(str: string): string;
  export function bgBrightBlue(str: string): string;
  export function bgBrightMagenta(str: string): string;
  export function bgBrightCyan(str: string): string;
  export function bgBrightWhite(str: string): string;
}

declare module "@std/fmt/duration" {
  /** Prints milliseconds for people: `1m 30s`. */
  export function format(
    ms: number,
    options?: { style?: "narrow" | "full" | "digital"; ignoreZero?: boolean },
  ): string;
}
