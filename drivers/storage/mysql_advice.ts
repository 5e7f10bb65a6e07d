/**
 * Looks whether a MySQL or MariaDB server keeps what it is given.
 *
 * @module
 */

import type { MysqlLink } from "./mysql_link.ts";

const SETTINGS = ["innodb_flush_log_at_trx_commit", "log_bin", "sync_binlog"];

/** Warns of settings with which committed data can be lost. A server that does not tell is taken at its word. */
export async function adviseMysql(
  link: MysqlLink,
  onWarning: (warning: string) => void,
): Promise<void> {
  const names = SETTINGS.map((name) => link.escape(name)).join(", ");
  const results = await link
    .query(`SHOW VARIABLES WHERE Variable_name IN (${names}); DO 0`, undefined)
    .catch(() => [[]]);
  const settings = new Map(results[0] as [string, string][]);
  const flush = settings.get("innodb_flush_log_at_trx_commit");
  if (flush !== undefined && flush !== "1") {
    onWarning(
      `MySQL can lose the last commits when it dies (innodb_flush_log_at_trx_commit ${flush}); set it to 1`,
    );
  }
  const sync = settings.get("sync_binlog");
  if (settings.get("log_bin") === "ON" && sync !== undefined && sync !== "1") {
    onWarning(
      `MySQL can lose the last commits when its machine dies (sync_binlog ${sync}); set it to 1`,
    );
  }
}
