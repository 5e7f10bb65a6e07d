// MySQL as one would use it by hand, read and conditional write: mysql_load.ts URL CALLERS SCOPES
import { createPool, escape } from "../../../drivers/storage/mysql_library.ts";
import { serveLoad } from "./serve_load.ts";

const [url, callerCount, scopeCount] = Deno.args;
const [callers, scopes] = [Number(callerCount), Number(scopeCount)];
const pool = createPool({ uri: url!, connectionLimit: 8, rowsAsArray: true });

function query(sql: string): Promise<unknown> {
  return new Promise((resolve, reject) =>
    pool.getConnection((error, connection) => {
      if (error) return reject(error);
      connection.query(sql, (error, results) => {
        connection.release();
        if (error) reject(error);
        else resolve(results);
      });
    })
  );
}

await query(
  "CREATE TABLE IF NOT EXISTS by_hand (k VARCHAR(64) PRIMARY KEY, version BIGINT, value LONGTEXT) " +
    "ENGINE=InnoDB",
);
for (let i = 0; i < scopes; i++) {
  await query(`REPLACE INTO by_hand VALUES (${escape(`scope ${i}`)}, 0, '{"count":0}')`);
}
const next = new Array(callers).fill(0);
serveLoad(callers, async (caller) => {
  const key = escape(`scope ${next[caller]++ % scopes}`);
  for (;;) {
    const rows = await query(`SELECT version, value FROM by_hand WHERE k = ${key}`);
    const [version, value] = (rows as [number, string][])[0]!;
    const document = JSON.parse(value);
    document.count++;
    const { affectedRows } = await query(
      `UPDATE by_hand SET version = version + 1, value = ${escape(JSON.stringify(document))} ` +
        `WHERE k = ${key} AND version = ${version}`,
    ) as { affectedRows: number };
    if (affectedRows === 1) return;
  }
});
