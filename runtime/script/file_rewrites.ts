/**
 * Files of a bundle in which some expressions stand for others: where a file lies, and whether it is the
 * main module.
 *
 * esbuild replaces an expression in all files alike, so the few files that need their own answer are
 * transformed one by one before they are bundled.
 *
 * @module
 */

import { dirname, relative, sep } from "node:path";
import type { Plugin } from "esbuild";
import type { Esbuild } from "./bundler.ts";
import { ENVIRONMENT, metaName } from "./canonical_wrapper.ts";

/** A file in which some expressions stand for others than in the rest of the bundle. */
export interface Rewrite {
  readonly file: string;
  readonly define: Record<string, string>;
  /** Its path relative to the script's folder, when it has an `import.meta` of its own. */
  readonly meta?: string;
}

/**
 * The files of a bundle that have to be rewritten.
 *
 * @param body What the bundler made without rewriting any.
 * @param files The files in it.
 */
export function rewritesOf(body: string, files: readonly string[], script: string): Rewrite[] {
  const rewrites: Rewrite[] = [];
  if (body.includes("require.main") && Deno.readTextFileSync(script).includes("require.main")) {
    // what a script runs only when it is the main module; other files of the bundle are not
    rewrites.push({ file: script, define: { "require.main": "module" } });
  }
  if (body.includes(`${ENVIRONMENT}.meta`)) {
    for (const file of files.filter((file) => file !== script && asksWhereItIs(file))) {
      const meta = relative(dirname(script), file).replaceAll(sep, "/");
      rewrites.push({ file, define: metaDefine(metaName(meta)), meta });
    }
  }
  return rewrites;
}

function asksWhereItIs(file: string): boolean {
  return /\bimport\s*\.\s*meta\b|\b__(file|dir)name\b/.test(Deno.readTextFileSync(file));
}

/** Replaces `import.meta`, `__filename` and `__dirname` by the members of a variable. */
export function metaDefine(meta: string): Record<string, string> {
  return {
    "import.meta": meta,
    __filename: `${meta}.filename`,
    __dirname: `${meta}.dirname`,
  };
}

/** The esbuild plugin that rewrites them. */
export function rewritePlugin(esbuild: Esbuild, rewrites: readonly Rewrite[]): Plugin {
  const defines = new Map(rewrites.map(({ file, define }) => [file, define]));
  const escaped = [...defines.keys()].map((file) => file.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return {
    name: "mp-rewrite",
    setup(build) {
      build.onLoad({ filter: new RegExp(`^(${escaped.join("|")})$`) }, async ({ path }) => {
        const { code } = await esbuild.transform(Deno.readTextFileSync(path), {
          loader: /\.[cm]?tsx?$/.test(path) ? "ts" : "js",
          define: defines.get(path),
          sourcefile: path,
          sourcemap: "inline",
          sourcesContent: false,
          charset: "utf8",
        });
        return { contents: code, loader: "js", resolveDir: dirname(path) };
      });
    },
  };
}
