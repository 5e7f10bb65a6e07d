/**
 * What is used of the package `mysql2`, with types of our own.
 *
 * @module
 */

// @ts-types="./mysql_library.d.ts"
export { createPool, escape } from "mysql2";
