/**
 * What a replica that changes a scope tells the one whose turn is next, while its commit is on its way.
 *
 * @module
 */

import type { JsonText, Version } from "../storage/storage.ts";

/** A scope that is handed on. */
export interface Baton {
  /** The scope, by encoded key. */
  readonly scope: string;
  /** The version that it has when the commits have been carried out. */
  readonly version: Version;
  /** What it holds then; `null` when it has no document. */
  readonly text: JsonText | null;
  /** The versions on which that rests, the newest first: those of commits that may still be on their way. */
  readonly rests: readonly Version[];
}

/** Other replicas of the deployment. */
export interface Siblings {
  /**
   * Hands something on to the replica of a session, without waiting for it to arrive.
   *
   * @returns Whether that replica can be reached: it may belong to another deployment, or be away.
   */
  tell(session: string, text: string): boolean;
}

/** How much text is handed on at most: more is faster read from the storage. */
export const MOST_HANDED = 64 * 1024;

/** Whether what is handed on rests on a commit. */
export function restsOn({ version, rests }: Baton, commit: Version): boolean {
  return version === commit || rests.includes(commit);
}

/** A baton as text of one line. */
export function encodeBaton({ scope, version, text, rests }: Baton): string {
  return JSON.stringify([scope, version, text, rests]);
}

/** Reads what {@linkcode encodeBaton} wrote; nothing for what is no baton. */
export function decodeBaton(line: string): Baton | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [scope, version, text, rests] = parts as unknown[];
  const isBaton = typeof scope === "string" && typeof version === "string" &&
    (typeof text === "string" || text === null) &&
    Array.isArray(rests) && rests.every((rest) => typeof rest === "string");
  return isBaton ? { scope, version, text, rests } : undefined;
}
