/**
 * esbuild, as one module: it is CommonJS, whose names an import of a bundled part would not find.
 *
 * @module
 */

export * as esbuild from "esbuild";
