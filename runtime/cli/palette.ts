/**
 * Colours, or none.
 *
 * @module
 */

import * as colors from "@std/fmt/colors";

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

// the library looks at NO_COLOR by itself; here the palette that is chosen decides
colors.setColorEnabled(true);

const plain = (text: string) => text;
const SEVERAL = [
  colors.cyan,
  colors.yellow,
  colors.green,
  colors.magenta,
  colors.blue,
  colors.brightCyan,
  colors.brightYellow,
  colors.brightGreen,
  colors.brightMagenta,
  colors.brightBlue,
];

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
  // std decides by NO_COLOR alone; here --color and FORCE_COLOR count too
  colors.setColorEnabled(true);
  const { bold, dim, red, green, yellow, cyan } = colors;
  return {
    enabled,
    bold,
    dim,
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
