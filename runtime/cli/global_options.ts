/**
 * The options that every command takes.
 *
 * @module
 */

import { choice, flag, type Values } from "./option.ts";

/** The options that every command takes. */
export const globalOptions = {
  json: flag({ description: "Print results and errors as JSON" }),
  color: choice({
    value: "WHEN",
    choices: ["auto", "always", "never"],
    initial: "auto",
    negated: "never",
    description: "Colour the output: auto, always or never; also --no-color, NO_COLOR, FORCE_COLOR",
  }),
  logLevel: choice({
    value: "LEVEL",
    choices: ["error", "warning", "info", "debug"],
    initial: "info",
    env: "MP_LOG_LEVEL",
    description: "Say no more than this on stderr: error, warning, info or debug",
  }),
  help: flag({ short: "h", description: "Show help" }),
  version: flag({ short: "V", description: "Show the version" }),
};

/** What the global options were set to. */
export type Global = Values<typeof globalOptions>;
