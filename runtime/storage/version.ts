/**
 * Sessions, and the versions that their commits write.
 *
 * @module
 */

import { hash32 } from "../hash.ts";
import type { Version } from "./storage.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SESSION = /^[A-Za-z0-9_-]{8,64}$/;

const RANDOM_LETTERS = 20;
const TAG_LETTERS = 5;

/**
 * A new session, never used before: 120 random bits.
 *
 * @param replica The name of the replica whose session it is; it can be told from the session by {@linkcode tagOf}.
 */
export function newSession(replica?: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_LETTERS));
  const random = Array.from(bytes, (byte) => LETTERS[byte & 63]).join("");
  return replica === undefined ? random : replicaTag(replica) + random;
}

/** A few letters for the name of a replica, the same everywhere; seldom the same for two. */
export function replicaTag(replica: string): string {
  const hash = hash32(replica);
  return Array.from({ length: TAG_LETTERS }, (_, i) => LETTERS[(hash >>> 6 * i) & 63]).join("");
}

/** What {@linkcode replicaTag} gives for the replica whose session it is, where that is known. */
export function tagOf(session: string): string | undefined {
  return session.length === TAG_LETTERS + RANDOM_LETTERS
    ? session.slice(0, TAG_LETTERS)
    : undefined;
}

/** Whether a text can name a session. */
export function isSession(text: string): boolean {
  return SESSION.test(text);
}

/** The version that a commit gives to everything that it writes. */
export function versionOf(commit: { readonly session: string; readonly seq: number }): Version {
  return `${commit.session}.${commit.seq}`;
}

/** The session whose commit wrote a version, as far as one can tell: only a hint, since versions are opaque. */
export function sessionOf(version: Version | null | undefined): string | undefined {
  return version?.slice(0, Math.max(0, version.lastIndexOf("."))) || undefined;
}

/** The version of a record whose value has expired: another than while it was there. */
export function expiredVersion(version: Version): Version {
  return `${version}~`;
}
