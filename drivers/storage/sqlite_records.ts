/**
 * Records in an SQLite database.
 *
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import type {
  EncodedCommit,
  EncodedEntry,
  KeyRange,
  Verdict,
} from "../../runtime/storage/backend.ts";
import { applyCommit, type RecordHead, type Records } from "../../runtime/storage/record.ts";
import { storageFault } from "../../runtime/storage/storage_fault.ts";

/** Marks a database as ours: "mpst". */
const APPLICATION_ID = 0x6d707374;
const SCHEMA_VERSION = 1;
/** How far the write-ahead log may stay grown, in bytes. */
const LOG_LIMIT = 64 * 1024 * 1024;
/** How many characters of values are read at once. */
const PAGE_CHARACTERS = 4 * 1024 * 1024;
/** How many records that are over are removed at once. */
const SWEEP = 500;

/** An open database. Everything here is done when it returns: no lock is held while anybody waits. */
export interface SqliteRecords {
  /** Carries out commits in one transaction, which is durable when this returns. */
  write(batch: readonly EncodedCommit[], prefix: string): Verdict[];
  /** Judges commits without writes in one snapshot; needs no lock. */
  judge(batch: readonly EncodedCommit[], prefix: string): Verdict[];
  /** The first entries of a range, a few megabytes at most; none at its end. */
  page(range: KeyRange, prefix: string): EncodedEntry[];
  close(): void;
}

/** An error from `COMMIT`: whether it was carried out is not known. */
export class CommitFailure extends Error {
  override readonly name = "CommitFailure";
}

/**
 * Opens a database, and makes its table when it is new.
 *
 * A commit is on the disk before it is answered (`synchronous = FULL`): it survives the death of any process, of the
 * system, and a power cut where the disk keeps what it says that it wrote.
 */
export function openRecords(
  path: string,
  { now, retention }: { readonly now: () => number; readonly retention: number },
): SqliteRecords {
  const db = new DatabaseSync(path);
  try {
    // waiting is done outside, where it does not block
    db.exec("PRAGMA busy_timeout = 0");
    prepareFile(db, path);
    return recordsOf(db, now, retention);
  } catch (error) {
    db.close();
    throw error;
  }
}

function prepareFile(db: DatabaseSync, path: string): void {
  // in this order: another process may make the file just now, its tables and its mark at once
  const tables = numberOf(db, "SELECT count(*) FROM sqlite_schema");
  const application = numberOf(db, "PRAGMA application_id");
  if (application !== APPLICATION_ID && (application !== 0 || tables > 0)) {
    throw storageFault("damaged", `Cannot use "${path}": it is the database of another program`, {
      next: "Choose another file with --storage file:PATH",
    });
  }
  const mode = db.prepare("PRAGMA journal_mode = WAL").get()!.journal_mode;
  if (mode !== "wal") {
    throw storageFault("refused", `Cannot use "${path}": its file system cannot share memory`, {
      next: "Choose a file on another disk with --storage file:PATH",
    });
  }
  db.exec(`PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${LOG_LIMIT}`);
  const schema = numberOf(db, "PRAGMA user_version");
  if (schema > SCHEMA_VERSION) {
    throw storageFault("damaged", `Cannot use "${path}": a newer version of mp made it`, {
      next: "Use that version, or choose another file with --storage file:PATH",
    });
  }
  if (schema === SCHEMA_VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    // the value comes last, so that the rest of a record is read without it
    db.exec(`
      CREATE TABLE IF NOT EXISTS records (
        key TEXT NOT NULL PRIMARY KEY,
        version TEXT NOT NULL,
        expires_at INTEGER NOT NULL,
        keep_until INTEGER NOT NULL,
        writers TEXT NOT NULL,
        value TEXT
      ) STRICT;
      CREATE INDEX IF NOT EXISTS records_keep_until ON records (keep_until) WHERE keep_until <> 0;
      PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${SCHEMA_VERSION};
      COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function recordsOf(db: DatabaseSync, now: () => number, retention: number): SqliteRecords {
  const begin = db.prepare("BEGIN");
  const beginToWrite = db.prepare("BEGIN IMMEDIATE");
  const end = db.prepare("COMMIT");
  const undo = db.prepare("ROLLBACK");
  const sweep = db.prepare(
    "DELETE FROM records WHERE key IN (SELECT key FROM records " +
      `WHERE keep_until <> 0 AND keep_until <= ? LIMIT ${SWEEP})`,
  );
  const page = db.prepare(
    "SELECT key, version, value FROM records WHERE key >= ? AND key < ? AND value IS NOT NULL " +
      "AND (expires_at = 0 OR expires_at > ?) ORDER BY key LIMIT ?",
  );
  const table = tableOf(db);
  let swept = now();

  function transaction(
    start: StatementSync,
    batch: readonly EncodedCommit[],
    prefix: string,
  ): Verdict[] {
    start.run();
    try {
      const time = now();
      const records = viewOf(table, prefix);
      const verdicts = batch.map((commit) =>
        applyCommit(commit, records, { now: time, retention })
      );
      if (start === beginToWrite && time >= swept + retention / 5) {
        // where more are over, the next commit goes on
        if (sweep.run(time).changes < SWEEP) swept = time;
      }
      finish(end);
      return verdicts;
    } catch (error) {
      // SQLite has undone it itself when the disk is full
      if (db.isTransaction) undo.run();
      throw error;
    }
  }

  return {
    write: (batch, prefix) => transaction(beginToWrite, batch, prefix),
    judge: (batch, prefix) => transaction(begin, batch, prefix),
    page({ from, before, limit }, prefix) {
      const entries: EncodedEntry[] = [];
      let characters = 0;
      for (const row of page.iterate(prefix + from, prefix + before, now(), limit)) {
        const { key, version, value } = row as Record<keyof EncodedEntry, string>;
        entries.push({ key: key.slice(prefix.length), version, value });
        characters += value.length;
        if (characters > PAGE_CHARACTERS) break;
      }
      return entries;
    },
    close: () => db.close(),
  };
}

function finish(end: StatementSync): void {
  try {
    end.run();
  } catch (cause) {
    throw new CommitFailure((cause as Error).message, { cause });
  }
}

interface Table {
  readonly head: StatementSync;
  readonly value: StatementSync;
  readonly put: StatementSync;
}

function tableOf(db: DatabaseSync): Table {
  return {
    head: db.prepare(
      "SELECT version, value IS NOT NULL AS there, expires_at, keep_until, writers " +
        "FROM records WHERE key = ?",
    ),
    value: db.prepare("SELECT value FROM records WHERE key = ?"),
    put: db.prepare(
      "INSERT INTO records (key, version, expires_at, keep_until, writers, value) " +
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET version = excluded.version, " +
        "expires_at = excluded.expires_at, keep_until = excluded.keep_until, " +
        "writers = excluded.writers, value = excluded.value",
    ),
  };
}

/** Records as one transaction sees them; each is read once. */
function viewOf({ head, value, put }: Table, prefix: string): Records {
  const heads = new Map<string, RecordHead | undefined>();
  function read(key: string): RecordHead | undefined {
    const row = head.get(prefix + key);
    return row && {
      version: row.version as string,
      hasValue: row.there === 1,
      expiresAt: row.expires_at as number,
      keepUntil: row.keep_until as number,
      writers: JSON.parse(row.writers as string),
    };
  }
  return {
    head(key) {
      if (!heads.has(key)) heads.set(key, read(key));
      return heads.get(key);
    },
    value: (key) => (value.get(prefix + key)?.value ?? null) as string | null,
    put(key, next, text) {
      const { version, expiresAt, keepUntil, writers } = next;
      put.run(prefix + key, version, expiresAt, keepUntil, JSON.stringify(writers), text);
      heads.set(key, next);
    },
  };
}

function numberOf(db: DatabaseSync, query: string): number {
  return Number(Object.values(db.prepare(query).get()!)[0]);
}
