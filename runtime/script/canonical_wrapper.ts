/**
 * Makes the canonical form out of what esbuild put together: a function of the environment.
 *
 * @module
 */

import { hash32 } from "../hash.ts";

/** What the code inside of the wrapper calls the environment, and the first letters of all our names in it. */
export const ENVIRONMENT = "__mp_env";

/** Hands the script's exports to the wrapper. */
export const HAND_OVER = "__mp_exports";

/** What `import.meta` is replaced by in a file, given by its path relative to the script's folder. */
export function metaName(path: string): string {
  return `__mp_meta_${hash32(path).toString(36)}${hash32(path, 1).toString(36)}`;
}

/**
 * Globals that an instance may have of its own: time, randomness, timers, the network, the process.
 * The code of a bundle sees those of its environment. What computes the same everywhere is left alone.
 */
const GLOBALS = [
  "AbortSignal",
  "BroadcastChannel",
  "Buffer",
  "Date",
  "Deno",
  "EventSource",
  "FinalizationRegistry",
  "Intl",
  "Math",
  "MessageChannel",
  "Temporal",
  "WeakRef",
  "WebSocket",
  "Worker",
  "addEventListener",
  "alert",
  "caches",
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "confirm",
  "console",
  "crypto",
  "dispatchEvent",
  "fetch",
  "global",
  "globalThis",
  "navigator",
  "performance",
  "process",
  "prompt",
  "queueMicrotask",
  "removeEventListener",
  "reportError",
  "self",
  "setImmediate",
  "setInterval",
  "setTimeout",
];

const META = `const __mp_meta = (path) => {
const url = new URL(path, __mp_env.meta.url).href;
const filename = __mp_env.builtin("url").fileURLToPath(url);
const dirname = __mp_env.builtin("path").dirname(filename);
const resolve = (to) => /^\\.{0,2}\\//.test(to) ? new URL(to, url).href : __mp_env.meta.resolve(to);
return { url, filename, dirname, main: false, resolve };
};`;

const REQUIRE = `const require = (name) => __mp_env.builtin(String(name));
require.resolve = (name) => String(name); require.cache = {};`;

/** What {@linkcode wrapCanonical} returns. */
export interface Wrapped {
  readonly code: string;
  /** How many lines stand before the first line of the body. */
  readonly linesBefore: number;
}

/**
 * Wraps a body in `async (environment) => exports`.
 *
 * The outer function holds the names that the environment gives, the inner one the body, so that a
 * script may have a `const Date` of its own. Arrows, for `arguments` and `this` to stay as in a module.
 *
 * @param body Code that hands over the script's exports, with no imports and no exports.
 * @param metas Files besides the script that use `import.meta`, relative to the script's folder.
 */
export function wrapCanonical(body: string, metas: readonly string[]): Wrapped {
  const globals = GLOBALS.filter((name) => body.includes(name));
  const lines = [
    `export default async (${ENVIRONMENT}) => {`,
    `let __mp_script; const ${HAND_OVER} = (exports) => { __mp_script = exports; };`,
  ];
  if (globals.length > 0) lines.push(`let { ${globals.join(", ")} } = ${ENVIRONMENT}.globals;`);
  if (/\brequire\b/.test(body)) lines.push(REQUIRE);
  if (metas.length > 0) lines.push(META);
  for (const path of metas) {
    const url = path.split("/").map(encodeURIComponent).join("/");
    lines.push(`const ${metaName(path)} = __mp_meta(${JSON.stringify(url)});`);
  }
  lines.push("await (async () => {", "");
  const before = lines.join("\n");
  const code = `${before}${body}})();\nreturn __mp_script;\n};\n`;
  return { code, linesBefore: before.split("\n").length - 1 };
}
