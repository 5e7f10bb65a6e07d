/**
 * What is used of the package `redis`, with types of our own.
 *
 * @module
 */

// @ts-types="./redis_library.d.ts"
export { createClient, createCluster, ErrorReply } from "redis";
