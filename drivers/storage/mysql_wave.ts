/**
 * Commits in MySQL, judged and carried out a wave at a time: those that touch nothing that another of them touches.
 *
 * @module
 */

import type { EncodedCommit, EncodedWrite } from "../../runtime/storage/backend.ts";
import { type StatementOptions, VERSION } from "./mysql_rows.ts";

/** A commit, and its number in the batch. */
export type Numbered = readonly [number: number, commit: EncodedCommit];

/** Cuts a batch where a commit touches what one before it does. */
export function wavesOf(batch: readonly EncodedCommit[]): Numbered[][] {
  const waves: Numbered[][] = [];
  let touched = new Set<string>();
  for (const [i, commit] of batch.entries()) {
    const keys = [...commit.checks, ...commit.writes].map(({ key }) => key);
    if (waves.length === 0 || keys.some((key) => touched.has(key))) {
      waves.push([]);
      touched = new Set();
    }
    waves.at(-1)!.push([i, commit]);
    for (const key of keys) touched.add(key);
  }
  return waves;
}

/**
 * The statements of a wave: the numbers of its commits whose checks fail in `@mp_failed…`, of those that were carried out before
 * in `@mp_repeated…`, then what the rest writes.
 */
export function waveStatements(
  wave: readonly Numbered[],
  number: number,
  options: StatementOptions,
): string[] {
  const failed = `@mp_failed${number}`;
  const repeated = `@mp_repeated${number}`;
  const writing = wave.filter(([, { writes }]) => writes.length > 0);
  const one = wave.length === 1;
  const fails = one ? oneFails(wave[0]!, options) : someFail(wave, options);
  const finds = writing.length === 0
    ? "''"
    : one
    ? oneRepeats(wave[0]!, options)
    : someRepeat(writing, options);
  const statements = [
    `SET ${failed} = ${fails}`,
    // what was carried out cannot hold again if it checks what it writes, so mostly there is nothing to look for
    `SET ${repeated} = ${wave.some(isBlind) ? finds : `IF(${failed} = '', '', ${finds})`}`,
  ];
  if (writing.length === 0) return statements;
  const held = (number: string) =>
    `NOT FIND_IN_SET(${number}, ${failed}) AND NOT FIND_IN_SET(${number}, ${repeated})`;
  const nothing = `${failed} = '' AND ${repeated} = ''`;
  for (const [i, commit] of writing) {
    for (const write of commit.writes) {
      statements.push(
        `${update(write, commit.version, options)} AND ${one ? nothing : held(`'${i}'`)}`,
      );
    }
  }
  const writers = one
    ? `${writerOf(wave[0]!, options).slice(1)}, @mp_now FROM DUAL WHERE ${nothing}`
    : `d.k, d.session, d.seq, @mp_now FROM ${writersOf(writing, options)} WHERE ${held("d.c")}`;
  statements.push(
    `INSERT INTO mp_writers (k, session, seq, time) SELECT ${writers} ` +
      "ON DUPLICATE KEY UPDATE seq = VALUES(seq), time = VALUES(time)",
  );
  return statements;
}

function isBlind([, { checks, writes }]: Numbered): boolean {
  return writes.length > 0 && !writes.some(({ key }) => checks.some((check) => check.key === key));
}

const name = (key: string, { prefix, escape }: StatementOptions) => `_ascii${escape(prefix + key)}`;

function oneFails([i, { checks }]: Numbered, options: StatementOptions): string {
  if (checks.length === 0) return "''";
  const holding = checks.map(({ key, version }) =>
    `(k = ${name(key, options)} AND ${VERSION} = ${options.escape(version)})`
  );
  const keys = new Set(checks.map(({ key }) => key)).size;
  return `IF((SELECT COUNT(*) FROM mp_records WHERE ${
    holding.join(" OR ")
  }) = ${keys}, '', '${i}')`;
}

function someFail(wave: readonly Numbered[], options: StatementOptions): string {
  const rows = wave.flatMap(([i, { checks }]) =>
    checks.map(({ key, version }) => [
      String(i),
      name(key, options),
      `_ascii${options.escape(version)}`,
    ])
  );
  if (rows.length === 0) return "''";
  return `IFNULL((SELECT GROUP_CONCAT(DISTINCT d.c) FROM ${derived(["c", "k", "v"], rows)} ` +
    `LEFT JOIN mp_records r ON r.k = d.k WHERE COALESCE(${VERSION}, '') <> d.v), '')`;
}

function oneRepeats(numbered: Numbered, options: StatementOptions): string {
  const [i, key, session, seq] = writerOf(numbered, options);
  return `IF(EXISTS (SELECT 1 FROM mp_writers WHERE k = ${key} AND session = ${session} ` +
    `AND seq >= ${seq} AND time > @mp_now - ${options.retention}), '${i}', '')`;
}

function someRepeat(writing: readonly Numbered[], options: StatementOptions): string {
  return `IFNULL((SELECT GROUP_CONCAT(d.c) FROM ${writersOf(writing, options)} ` +
    "STRAIGHT_JOIN mp_writers w ON w.k = d.k AND w.session = d.session " +
    `WHERE w.seq >= d.seq AND w.time > @mp_now - ${options.retention}), '')`;
}

/** What is kept to recognise a commit: by the record of the first key that it writes. */
function writerOf([i, { session, seq, writes }]: Numbered, options: StatementOptions) {
  return [
    String(i),
    name(writes[0]!.key, options),
    `_ascii${options.escape(session)}`,
    String(seq),
  ] as const;
}

function writersOf(writing: readonly Numbered[], options: StatementOptions): string {
  const rows = writing.map((numbered) => writerOf(numbered, options));
  return derived(["c", "k", "session", "seq"], rows);
}

function update(
  { key, value, expiresAt }: EncodedWrite,
  version: string,
  options: StatementOptions,
): string {
  const { retention, escape } = options;
  const keepUntil = value === null
    ? `@mp_now + ${retention}`
    : expiresAt === 0
    ? "0"
    : `GREATEST(${expiresAt}, @mp_now + ${retention})`;
  return `UPDATE mp_records SET version = ${escape(version)}, expires_at = ${expiresAt}, ` +
    `keep_until = ${keepUntil}, value = ${value === null ? "NULL" : escape(value)} ` +
    `WHERE k = ${name(key, options)}`;
}

/** A table of literals. */
function derived(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const selects = rows.map((row, i) =>
    "SELECT " + row.map((cell, j) => i === 0 ? `${cell} AS ${columns[j]}` : cell).join(", ")
  );
  return `(${selects.join(" UNION ALL ")}) AS d`;
}
