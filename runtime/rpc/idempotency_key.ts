/**
 * What can be an idempotency key.
 *
 * @module
 */

const MAX_CHARACTERS = 255;
/** A name in a key of a storage may have as many. */
const MAX_BYTES = 512;
const encoder = new TextEncoder();

/** What keeps a text from being an idempotency key, such as "is empty"; `undefined` when nothing does. */
export function idempotencyKeyProblem(key: string): string | undefined {
  if (key === "") return "is empty";
  if (!key.isWellFormed()) return "holds half a character";
  if (key.length > MAX_CHARACTERS) return `is longer than ${MAX_CHARACTERS} characters`;
  // a character has one to three bytes for each of its UTF-16 units
  const isLong = key.length * 3 > MAX_BYTES && encoder.encode(key).length > MAX_BYTES;
  return isLong ? `is longer than ${MAX_BYTES} bytes` : undefined;
}
