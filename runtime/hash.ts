/**
 * A small, fast, stable hash of text. Not for secrets.
 *
 * @module
 */

/**
 * Hashes text to an unsigned 32-bit integer; the same on every machine and in every version.
 *
 * MurmurHash3 (x86, 32 bits; Austin Appleby, public domain) over the text's UTF-16 code units, one a
 * round.
 *
 * @param text Any text.
 * @param seed Another seed gives an independent hash. Default: 0.
 */
export function hash32(text: string, seed = 0): number {
  let hash = seed | 0;
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  return mix32(hash ^ (text.length * 2));
}

/** The finalizer of MurmurHash3: every bit of the input changes every bit of the result. */
export function mix32(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
