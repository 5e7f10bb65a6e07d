/**
 * Colours, or none.
 *
 * @module
 */

/** Marks text for one stream, which may have no colours. */
export interface Palette {
  readonly enabled: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  /** One of several colours, always the same for the same number. */
  nth(index: number, text: string): string;
}

type Mark = (text: string) => string;

/**
 * Marks text by ANSI's Select Graphic Rendition. `@std/fmt/colors` does the same, but never while NO_COLOR
 * is set, which `--color=always` beats.
 */
const sgr = (on: number, off: number): Mark => (text) => `\x1b[${on}m${text}\x1b[${off}m`;

const plain: Mark = (text) => text;
const [red, green, yellow, blue, magenta, cyan] = [31, 32, 33, 34, 35, 36].map((on) =>
  sgr(on, 39)
) as [
  ...[Mark, Mark, Mark, Mark, Mark, Mark],
];
const BRIGHT = [96, 93, 92, 95, 94].map((on) => sgr(on, 39));
const SEVERAL: readonly Mark[] = [cyan, yellow, green, magenta, blue, ...BRIGHT];

/** The palette of a stream with colours, or of one without. */
export function palette(enabled: boolean): Palette {
  if (!enabled) {
    return {
      enabled,
      bold: plain,
      dim: plain,
      red: plain,
      green: plain,
      yellow: plain,
      cyan: plain,
      nth: (_, text) => text,
    };
  }
  return {
    enabled,
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red,
    green,
    yellow,
    cyan,
    nth: (index, text) => SEVERAL[index % SEVERAL.length]!(text),
  };
}

/** Whether a stream is to be coloured. The option beats the environment, which beats what the stream is. */
export function wantsColor(
  when: "auto" | "always" | "never",
  isTerminal: boolean,
  env: (name: string) => string | undefined,
): boolean {
  if (when !== "auto") return when === "always";
  if (env("NO_COLOR") !== undefined) return false;
  const force = env("FORCE_COLOR");
  if (force !== undefined) return force !== "0" && force !== "false";
  return isTerminal && env("TERM") !== "dumb";
}
