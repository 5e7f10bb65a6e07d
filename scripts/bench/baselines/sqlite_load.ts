// SQLite as one would use it by hand, one transaction a commit: sqlite_load.ts FILE SCOPES
import { DatabaseSync } from "node:sqlite";
import { serveLoad } from "./serve_load.ts";

const [file, scopeCount] = Deno.args;
const scopes = Number(scopeCount);
const db = new DatabaseSync(file!);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
db.exec("CREATE TABLE IF NOT EXISTS scopes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT");
const begin = db.prepare("BEGIN IMMEDIATE");
const select = db.prepare("SELECT value FROM scopes WHERE name = ?");
const put = db.prepare("INSERT OR REPLACE INTO scopes VALUES (?, ?)");
const commit = db.prepare("COMMIT");

let next = 0;
// it blocks, so callers would only take turns
serveLoad(1, async () => {
  const name = `scope ${next++ % scopes}`;
  begin.run();
  const row = select.get(name);
  const document = row === undefined ? { count: 0 } : JSON.parse(String(row.value));
  document.count++;
  put.run(name, JSON.stringify(document));
  commit.run();
  await Promise.resolve();
});
