/**
 * Digests, for those replicas that check credentials: loading `node:crypto` would cost the start of every
 * replica 5 ms.
 *
 * @module
 */

const crypto = (): typeof import("node:crypto") => process.getBuiltinModule("node:crypto");

/** The HMAC-SHA-256 of a text. */
export function keyedDigest(key: string | Uint8Array, text: string): Uint8Array {
  return crypto().createHmac("sha256", key).update(text).digest();
}

/** The same, in base64. */
export function keyedDigestText(key: string | Uint8Array, text: string): string {
  return crypto().createHmac("sha256", key).update(text).digest("base64");
}

/** The SHA-1 of a text, in base64. */
export function sha1(text: string): string {
  return crypto().createHash("sha1").update(text).digest("base64");
}

/** The MD5 of bytes and texts, one after the other. */
export function md5(...parts: (Uint8Array | string)[]): Uint8Array {
  const hash = crypto().createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** A key that nobody knows. */
export function randomKey(): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(32));
}
