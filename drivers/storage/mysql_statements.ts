/**
 * What is done in MySQL, as statements of one request.
 *
 * Every row that a request writes or relies on is locked first, in the order of keys, so that requests wait for each other
 * instead of for ever. A row that is not there cannot be locked, so where a commit relies on that, an empty row is put in
 * its place and taken away at the end. The rules are those of `runtime/storage/record.ts`.
 *
 * @module
 */

import { EXPIRED, NOW, OVER, type StatementOptions, VALUE, VERSION } from "./mysql_rows.ts";
import { wavesOf, waveStatements } from "./mysql_wave.ts";
import type {
  EncodedCommit,
  EncodedEntry,
  StaleCheck,
  Verdict,
} from "../../runtime/storage/backend.ts";

/** A request, and how to read its results. */
export interface MysqlRequest {
  readonly sql: string;
  verdicts(results: readonly unknown[]): Verdict[];
}

/** How many rows that are over are removed at once. */
const SWEEP = 500;

/**
 * Makes the tables. A key takes up to 2,945 bytes: 3,072, where an index ends, less 64 for a session, and some. What is
 * compared is ASCII, byte by byte.
 */
export const CREATE_TABLES = `
CREATE TABLE IF NOT EXISTS mp_records (
  k VARCHAR(2945) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  version VARCHAR(96) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  expires_at BIGINT NOT NULL,
  keep_until BIGINT NOT NULL,
  value LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  KEY mp_keep_until (keep_until)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
CREATE TABLE IF NOT EXISTS mp_writers (
  k VARCHAR(2945) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  session VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  seq BIGINT NOT NULL,
  time BIGINT NOT NULL,
  PRIMARY KEY (k, session),
  KEY mp_time (time)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC`;

type StateRow = readonly [key: string, version: string, value: string | null];

/** Judges commits that write nothing: one statement sees one state of everything, and locks nothing. */
export function judgeRequest(
  batch: readonly EncodedCommit[],
  { prefix, escape }: StatementOptions,
): MysqlRequest {
  const checks = batch.flatMap((commit) => commit.checks);
  if (checks.length === 0) {
    return { sql: "DO 0; DO 0", verdicts: () => batch.map(() => null) };
  }
  return {
    sql: `${NOW}; ${selectStates(checks, prefix, escape)}`,
    verdicts: ([, rows]) => batch.map((commit) => staleOf(commit, rows as StateRow[], prefix)),
  };
}

/** Carries out commits. */
export function commitRequest(
  batch: readonly EncodedCommit[],
  options: StatementOptions,
): MysqlRequest {
  const { prefix, escape } = options;
  const name = (key: string) => escape(prefix + key);
  const relied = reliedOn(batch);
  const waves = wavesOf(batch);
  const statements = ["START TRANSACTION", NOW, lockStatement(relied, name)];
  for (const [i, wave] of waves.entries()) statements.push(...waveStatements(wave, i, options));
  if (relied.absent) {
    statements.push(
      `DELETE FROM mp_records WHERE k IN (${relied.keys.map(name)}) AND version = ''`,
    );
  }
  const failed = waves.map((_, i) => `@mp_failed${i}`);
  const repeated = waves.map((_, i) => `@mp_repeated${i}`);
  statements.push(`SELECT CONCAT_WS(',', ${failed}), CONCAT_WS(',', ${repeated})`);
  const checks = batch.flatMap((commit) => commit.checks);
  const states = selectStates(checks, prefix, escape, `CONCAT(${failed}) <> ''`);
  statements.push(checks.length === 0 ? "DO 0" : states, "COMMIT");
  return {
    sql: statements.join("; "),
    verdicts(results) {
      const [outcomes, rows] = results.slice(-3) as [[[string, string]], StateRow[]];
      const [failed, repeated] = outcomes[0].map((list) => new Set(list.split(",")));
      return batch.map((commit, i) =>
        failed!.has(String(i)) && !repeated!.has(String(i))
          ? staleOf(commit, rows, prefix) ?? []
          : null
      );
    },
  };
}

interface Relied {
  /** Every key that must not change meanwhile, in order. */
  readonly keys: readonly string[];
  /** Whether some of them may not be there. */
  readonly absent: boolean;
}

function reliedOn(batch: readonly EncodedCommit[]): Relied {
  const present = new Map<string, boolean>();
  for (const { checks, writes } of batch) {
    for (const { key, version } of checks) {
      present.set(key, (present.get(key) ?? true) && version !== "");
    }
    const checked = new Set(checks.map(({ key }) => key));
    for (const { key } of writes) if (!checked.has(key)) present.set(key, false);
  }
  return { keys: [...present.keys()].sort(), absent: [...present.values()].includes(false) };
}

function lockStatement({ keys, absent }: Relied, name: (key: string) => string): string {
  if (keys.length === 0) return "DO 0";
  if (!absent) {
    return "SELECT k FROM mp_records FORCE INDEX (PRIMARY) " +
      `WHERE k IN (${keys.map(name)}) ORDER BY k FOR UPDATE`;
  }
  return "INSERT INTO mp_records (k, version, expires_at, keep_until, value) VALUES " +
    `${keys.map((key) => `(${name(key)}, '', 0, 0, NULL)`)} ON DUPLICATE KEY UPDATE k = VALUES(k)`;
}

/** Selects the state of keys; a value only where it is not known from the version that was checked. */
function selectStates(
  checks: EncodedCommit["checks"],
  prefix: string,
  escape: (value: string) => string,
  condition = "TRUE",
): string {
  const versions = new Map<string, string | undefined>();
  for (const { key, version } of checks) {
    // where commits have seen different versions, one of them does not know the value
    versions.set(key, versions.has(key) && versions.get(key) !== version ? undefined : version);
  }
  const names = [...versions.keys()].map((key) => escape(prefix + key));
  const known = [...versions].flatMap(([key, version]) =>
    version === undefined ? [] : `(${escape(prefix + key)}, ${escape(version)})`
  );
  const value = known.length === 0 ? VALUE : `IF((k, ${VERSION}) IN (${known}), NULL, ${VALUE})`;
  return `SELECT k, ${VERSION}, ${value} FROM mp_records WHERE ${condition} AND k IN (${names})`;
}

/** The checks that do not hold, given the rows that there are. */
function staleOf({ checks }: EncodedCommit, rows: readonly StateRow[], prefix: string): Verdict {
  const states = new Map(rows.map(([key, version, value]) => [key, { version, value }]));
  const stale: StaleCheck[] = [];
  for (const [index, { key, version }] of checks.entries()) {
    const state = states.get(prefix + key) ?? { version: "", value: null };
    if (state.version !== version) stale.push({ index, ...state });
  }
  return stale.length === 0 ? null : stale;
}

/** The first keys of a range that have a value, with the length of it. */
export function pageRequest(
  from: string,
  before: string,
  limit: number,
  { prefix, escape }: StatementOptions,
): string {
  return `${NOW}; SELECT k, LENGTH(value) FROM mp_records ` +
    `WHERE k >= ${escape(prefix + from)} AND k < ${escape(prefix + before)} ` +
    `AND value IS NOT NULL AND NOT (${OVER}) AND NOT (${EXPIRED}) ORDER BY k LIMIT ${limit}`;
}

/** The entries of keys, as far as they still have a value. */
export function entriesRequest(keys: readonly string[], { escape }: StatementOptions): string {
  return `${NOW}; SELECT k, version, value FROM mp_records ` +
    `WHERE k IN (${keys.map(escape)}) AND value IS NOT NULL ` +
    `AND NOT (${OVER}) AND NOT (${EXPIRED}) ORDER BY k`;
}

/** What {@linkcode entriesRequest} gave. */
export function entriesOf(results: readonly unknown[], prefix: string): EncodedEntry[] {
  const rows = results[1] as [string, string, string][];
  return rows.map(([key, version, value]) => ({ key: key.slice(prefix.length), version, value }));
}

/** Removes what is only kept for as long as commits are remembered. */
export function sweepRequest({ retention }: StatementOptions): string {
  return [
    NOW,
    `DELETE FROM mp_records WHERE keep_until BETWEEN 1 AND @mp_now LIMIT ${SWEEP}`,
    `DELETE FROM mp_writers WHERE time <= @mp_now - ${retention} LIMIT ${SWEEP}`,
  ].join("; ");
}

/** Whether {@linkcode sweepRequest} has left nothing that is over. */
export function isSweptClean(results: readonly unknown[]): boolean {
  return results.every((result) =>
    ((result as { affectedRows?: number }).affectedRows ?? 0) < SWEEP
  );
}
