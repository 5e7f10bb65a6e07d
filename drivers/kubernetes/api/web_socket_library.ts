/**
 * What is used of the package `ws`, with types of our own.
 *
 * @module
 */

// @ts-types="./web_socket_library.d.ts"
export { Receiver, Sender } from "ws";
