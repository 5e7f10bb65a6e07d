/**
 * What is used of the packages `rollup` and `rollup-plugin-dts`, with types of our own.
 *
 * @module
 */

// named here, for rollup-plugin-dts takes whatever version there is
// @ts-types="./rollup_library.d.ts"
export { version } from "typescript";
// @ts-types="./rollup_library.d.ts"
export { rollup } from "rollup";
// @ts-types="./rollup_library.d.ts"
export { dts } from "rollup-plugin-dts";
