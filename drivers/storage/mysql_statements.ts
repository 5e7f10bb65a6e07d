/**
 * What is done in MySQL, as statements of one request.
 *
 * Every row that a request writes or relies on is locked first, in the order of keys, so that requests wait for each other
 * instead of for ever. A row that is not there cannot be locked, so where a commit relies on that, an empty row is put in
 * its place and taken away at the end. The rules are those of `runtime/storage/record.ts`.
 *
 * @module
 */

import type {
  EncodedCommit,
  EncodedEntry,
  StaleCheck,
  Verdict,
} from "../../runtime/storage/backend.ts";

/** What the statements need. */
export interface StatementOptions {
  /** In milliseconds. */
  readonly retention: number;
  /** What comes before every key. */
  readonly prefix: string;
  /** A value as an SQL literal. */
  escape(value: string): string;
}

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

const NOW = "SET @mp_now = CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS SIGNED)";
const OVER = "keep_until <> 0 AND keep_until <= @mp_now";
const EXPIRED = "expires_at <> 0 AND expires_at <= @mp_now AND value IS NOT NULL";
/** The version of a row now; "" where nothing is known. */
const VERSION =
  `CASE WHEN ${OVER} THEN '' WHEN ${EXPIRED} THEN CONCAT(version, '~') ELSE version END`;
const VALUE = `IF((${OVER}) OR (${EXPIRED}), NULL, value)`;

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
  const statements = ["START TRANSACTION", NOW, lockStatement(relied, name)];
  for (const [i, commit] of batch.entries()) {
    statements.push(...commitStatements(commit, `@mp_c${i}`, options));
  }
  if (relied.absent) {
    statements.push(
      `DELETE FROM mp_records WHERE k IN (${relied.keys.map(name)}) AND version = ''`,
    );
  }
  statements.push(`SELECT CONCAT(${batch.map((_, i) => `@mp_c${i}`)})`);
  const refused = batch.map(({ checks }, i) =>
    checks.length === 0 ? "" : selectStates(checks, prefix, escape, `@mp_c${i} = 0`)
  ).filter((select) => select !== "");
  statements.push(refused.length === 0 ? "DO 0" : refused.join(" UNION ALL "), "COMMIT");
  return {
    sql: statements.join("; "),
    verdicts(results) {
      const [outcomes, rows] = results.slice(-3) as [[[string]], StateRow[]];
      return batch.map((commit, i) =>
        outcomes[0][0][i] === "0" ? staleOf(commit, rows, prefix)! : null
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

/** One commit: its outcome in a variable (0 refused, 1 done now, 2 done before), and what it writes. */
function commitStatements(
  { session, seq, version, checks, writes }: EncodedCommit,
  outcome: string,
  { prefix, retention, escape }: StatementOptions,
): string[] {
  const name = (key: string) => escape(prefix + key);
  const holds = checks.length === 0 ? "TRUE" : `(SELECT COUNT(*) FROM mp_records WHERE ` +
    checks.map((check) => `(k = ${name(check.key)} AND ${VERSION} = ${escape(check.version)})`)
      .join(" OR ") +
    `) = ${new Set(checks.map(({ key }) => key)).size}`;
  if (writes.length === 0) return [`SET ${outcome} = IF(${holds}, 1, 0)`];
  const first = name(writes[0]!.key);
  const repeated = `EXISTS (SELECT 1 FROM mp_writers WHERE k = ${first} ` +
    `AND session = ${escape(session)} AND seq >= ${seq} AND time > @mp_now - ${retention})`;
  // one that was carried out cannot hold again if it checks what it writes, so the rest need not look first
  const blind = !writes.some(({ key }) => checks.some((check) => check.key === key));
  const statements = [
    blind
      ? `SET ${outcome} = IF(${repeated}, 2, IF(${holds}, 1, 0))`
      : `SET ${outcome} = IF(${holds}, 1, IF(${repeated}, 2, 0))`,
  ];
  for (const { key, value, expiresAt } of writes) {
    const keepUntil = value === null
      ? `@mp_now + ${retention}`
      : expiresAt === 0
      ? "0"
      : `GREATEST(${expiresAt}, @mp_now + ${retention})`;
    statements.push(
      `UPDATE mp_records SET version = ${escape(version)}, expires_at = ${expiresAt}, ` +
        `keep_until = ${keepUntil}, value = ${value === null ? "NULL" : escape(value)} ` +
        `WHERE k = ${name(key)} AND ${outcome} = 1`,
    );
  }
  statements.push(
    "INSERT INTO mp_writers (k, session, seq, time) " +
      `SELECT ${first}, ${escape(session)}, ${seq}, @mp_now FROM DUAL WHERE ${outcome} = 1 ` +
      `ON DUPLICATE KEY UPDATE seq = ${seq}, time = @mp_now`,
  );
  return statements;
}

/** Selects the state of keys; a value only where its version is not the one that was checked. */
function selectStates(
  checks: EncodedCommit["checks"],
  prefix: string,
  escape: (value: string) => string,
  condition = "TRUE",
): string {
  const name = (key: string) => escape(prefix + key);
  const known = checks.map(({ key, version }) => `(${name(key)}, ${escape(version)})`);
  return `SELECT k, ${VERSION}, IF((k, ${VERSION}) IN (${known}), NULL, ${VALUE}) ` +
    `FROM mp_records WHERE ${condition} AND k IN (${checks.map(({ key }) => name(key))})`;
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
