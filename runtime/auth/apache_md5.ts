/**
 * The MD5 form of passwords in htpasswd files, `$apr1$`, which `htpasswd` and `openssl passwd -apr1` write.
 * Pure.
 *
 * @module
 */

import { md5 } from "./digest.ts";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MAGIC = "$apr1$";
const ROUNDS = 1000;
/** Which bytes of the digest are written together, as 24 bits from the first on. */
const GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] as const;

/**
 * Hashes a password as Apache does.
 *
 * @param password Hashed as UTF-8.
 * @param salt 1 to 8 characters of `./0-9A-Za-z`.
 * @returns The 22 characters that stand behind the salt.
 */
export function apacheMd5(password: string, salt: string): string {
  const secret = new TextEncoder().encode(password);
  const inner = md5(secret, salt, secret);
  const first: (Uint8Array | string)[] = [secret, MAGIC, salt];
  for (let left = secret.length; left > 0; left -= 16) first.push(inner.subarray(0, left));
  for (let bits = secret.length; bits > 0; bits >>= 1) {
    first.push(bits & 1 ? "\0" : secret.subarray(0, 1));
  }
  let digest = md5(...first);
  for (let round = 0; round < ROUNDS; round++) {
    digest = md5(
      round % 2 ? secret : digest,
      round % 3 ? salt : "",
      round % 7 ? secret : "",
      round % 2 ? digest : secret,
    );
  }
  const groups = GROUPS.map(([a, b, c]) =>
    to64(digest[a]! << 16 | digest[b]! << 8 | digest[c]!, 4)
  );
  return groups.join("") + to64(digest[11]!, 2);
}

/** The lowest bits first. */
function to64(bits: number, characters: number): string {
  return Array.from({ length: characters }, (_, i) => ALPHABET[bits >> 6 * i & 63]).join("");
}
