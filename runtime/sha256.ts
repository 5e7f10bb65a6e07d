/**
 * SHA-256 by what Deno has at its start: Node's `node:crypto` takes some milliseconds to be loaded.
 *
 * @module
 */

const encoder = new TextEncoder();

/** The digest of bytes, or of a text's, in hexadecimal digits. */
export async function sha256(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
