/**
 * What is used of the package `undici`, with types of our own.
 *
 * @module
 */

// @ts-types="./http_library.d.ts"
export { Pool } from "undici";
