/**
 * Passwords as they are kept: told whether another is the same, and nothing else.
 *
 * @module
 */

import { equalInConstantTime } from "../peer/handshake.ts";
import { apacheMd5 } from "./apache_md5.ts";
import { keyedDigestText, randomKey, sha1 } from "./digest.ts";

/** A kept password. */
export interface StoredPassword {
  /** Whether a comparison takes milliseconds, which is what protects a file of them. */
  readonly slow: boolean;
  /** Whether it is known as it is, and not only by a hash. */
  readonly plain?: boolean;
  /** Whether a password is this one; how long it takes tells nothing of where they differ. */
  matches(password: string): boolean | Promise<boolean>;
}

const key = randomKey();

/** A password that is known as it is. Digests are compared, for how long it is must not show either. */
export function plainPassword(password: string): StoredPassword {
  const own = keyedDigestText(key, password);
  return {
    slow: false,
    plain: true,
    matches: (given) => equalInConstantTime(keyedDigestText(key, given), own),
  };
}

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const SHA = /^\{SHA\}([A-Za-z0-9+/]{27}=)$/;
const APR1 = /^\$apr1\$([./0-9A-Za-z]{1,8})\$([./0-9A-Za-z]{22})$/;

/** A cost of 16 takes seconds, and all calls wait meanwhile. */
const MAX_COST = 16;

/**
 * Reads a password in one of the forms of htpasswd files.
 *
 * @returns What is wrong with it, when it is none of them.
 */
export function hashedPassword(text: string): StoredPassword | string {
  const cost = BCRYPT.exec(text)?.[1];
  if (cost !== undefined) return bcryptPassword(text, Number(cost));
  const sha = SHA.exec(text)?.[1];
  if (sha !== undefined) {
    return { slow: false, matches: (given) => equalInConstantTime(sha1(given), sha) };
  }
  const [, salt, hash] = APR1.exec(text) ?? [];
  if (salt !== undefined && hash !== undefined) {
    return {
      slow: true,
      matches: (given) => equalInConstantTime(apacheMd5(given, salt), hash),
    };
  }
  return "it is neither bcrypt ($2y$) nor {SHA} nor $apr1$";
}

function bcryptPassword(text: string, cost: number): StoredPassword | string {
  if (cost < 4 || cost > MAX_COST) {
    return `its cost is ${cost}, not from 4 to ${MAX_COST}`;
  }
  return {
    slow: true,
    async matches(given) {
      const { default: bcrypt } = await import("bcryptjs");
      return await bcrypt.compare(given, text);
    },
  };
}
