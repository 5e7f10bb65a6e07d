/**
 * Sessions, and the versions that their commits write.
 *
 * @module
 */

import type { Version } from "./storage.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SESSION = /^[A-Za-z0-9_-]{8,64}$/;

/** A new session, never used before: 120 random bits. */
export function newSession(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(bytes, (byte) => LETTERS[byte & 63]).join("");
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
