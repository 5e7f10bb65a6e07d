/**
 * What a commit does to records: the rules that every storage carries out, as pure functions.
 *
 * `memory` and `file` run these; `redis` and `mysql` say the same in Lua and SQL, and the conformance suite holds them
 * to it.
 *
 * @module
 */

import type {
  EncodedCommit,
  EncodedVersion,
  EncodedWrite,
  StaleCheck,
  Verdict,
} from "./backend.ts";
import { expiredVersion } from "./version.ts";

/** How long commits are remembered unless told otherwise: the longest deadline, in milliseconds. */
export const DEFAULT_RETENTION = 300_000;

/** The last commit of a session that wrote a record. */
export type Writer = readonly [session: string, seq: number, time: number];

/** A record without its value. */
export interface RecordHead {
  readonly version: EncodedVersion;
  readonly hasValue: boolean;
  /** When the value goes; 0 for never. */
  readonly expiresAt: number;
  /** When the record itself goes; 0 for never. Without a value it only stays to recognise commits. */
  readonly keepUntil: number;
  readonly writers: readonly Writer[];
}

/** Where records are. */
export interface Records {
  head(key: string): RecordHead | undefined;
  value(key: string): string | null;
  put(key: string, head: RecordHead, value: string | null): void;
}

/**
 * Carries out one commit, or tells why not.
 *
 * @returns `null` when it was carried out, now or before; otherwise the checks that did not hold.
 */
export function applyCommit(
  commit: EncodedCommit,
  records: Records,
  { now, retention }: { readonly now: number; readonly retention: number },
): Verdict {
  if (isRepeated(commit, records, now)) return null;
  const stale: StaleCheck[] = [];
  for (const [index, { key, version }] of commit.checks.entries()) {
    const head = alive(records.head(key), now);
    const current = versionNow(head, now);
    if (current === version) continue;
    const value = head !== undefined && isThere(head, now) ? records.value(key) : null;
    stale.push({ index, version: current, value });
  }
  if (stale.length > 0) return stale;
  for (const write of commit.writes) {
    const before = alive(records.head(write.key), now);
    records.put(write.key, nextHead(before, write, commit, now, retention), write.value);
  }
  return null;
}

/** Whether a commit was carried out before: the record of the first key that it writes tells. */
function isRepeated(
  { session, seq, writes }: EncodedCommit,
  records: Records,
  now: number,
): boolean {
  if (writes.length === 0) return false;
  const writers = alive(records.head(writes[0]!.key), now)?.writers;
  return writers?.some(([writer, last]) => writer === session && last >= seq) ?? false;
}

function nextHead(
  before: RecordHead | undefined,
  { value, expiresAt }: EncodedWrite,
  { session, seq, version }: EncodedCommit,
  now: number,
  retention: number,
): RecordHead {
  const writers =
    before?.writers.filter(([writer, , time]) => writer !== session && time + retention > now) ??
      [];
  writers.push([session, seq, now]);
  return {
    version,
    hasValue: value !== null,
    expiresAt,
    keepUntil: value === null ? now + retention : expiresAt && Math.max(expiresAt, now + retention),
    writers,
  };
}

/** A record, unless its time is over. */
function alive(head: RecordHead | undefined, now: number): RecordHead | undefined {
  return head !== undefined && head.keepUntil !== 0 && head.keepUntil <= now ? undefined : head;
}

/** The version of a record at a time. */
export function versionNow(head: RecordHead | undefined, now: number): EncodedVersion {
  if (head === undefined) return "";
  const expired = head.hasValue && head.expiresAt !== 0 && head.expiresAt <= now;
  return expired ? expiredVersion(head.version) : head.version;
}

/** Whether a record has a value at a time. */
export function isThere(head: RecordHead, now: number): boolean {
  return head.hasValue && (head.expiresAt === 0 || head.expiresAt > now);
}
