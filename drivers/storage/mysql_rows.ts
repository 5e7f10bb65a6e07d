/**
 * Rows of records in MySQL, as SQL expressions.
 *
 * @module
 */

/** What statements need. */
export interface StatementOptions {
  /** In milliseconds. */
  readonly retention: number;
  /** What comes before every key. */
  readonly prefix: string;
  /** A value as an SQL literal. */
  escape(value: string): string;
}

/** Sets the time for all statements of a request. */
export const NOW = "SET @mp_now = CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS SIGNED)";
/** Whether nothing is known of a row any more. */
export const OVER = "keep_until <> 0 AND keep_until <= @mp_now";
/** Whether a row's value has gone by itself. */
export const EXPIRED = "expires_at <> 0 AND expires_at <= @mp_now AND value IS NOT NULL";
/** The version of a row now; "" where nothing is known. */
export const VERSION =
  `CASE WHEN ${OVER} THEN '' WHEN ${EXPIRED} THEN CONCAT(version, '~') ELSE version END`;
/** The value of a row now. */
export const VALUE = `IF((${OVER}) OR (${EXPIRED}), NULL, value)`;
