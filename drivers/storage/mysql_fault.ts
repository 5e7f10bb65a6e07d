/**
 * What goes wrong with MySQL, as faults of a storage.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { FaultReason } from "../../runtime/storage/storage.ts";
import { storageFault } from "../../runtime/storage/storage_fault.ts";
import type { MysqlError } from "./mysql_library.d.ts";
import { NoAnswer, NotConnected } from "./mysql_link.ts";

interface Cause {
  /** The server's numbers. */
  readonly errors: readonly number[];
  readonly reason: FaultReason;
  readonly next?: string;
}

const CAUSES: readonly Cause[] = [
  {
    errors: [1044, 1045, 1130, 1227, 1251, 1698, 3118],
    reason: "refused",
    next: "Write the user and password into the URL: mysql://user:password@host:3306/database",
  },
  {
    errors: [1142, 1143, 1370],
    reason: "refused",
    next: "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, INDEX ON the database to the user",
  },
  { errors: [1049], reason: "refused", next: "CREATE DATABASE, or name another one in the URL" },
  { errors: [1040, 1053, 1203, 1226], reason: "unreachable" },
  {
    errors: [1290, 1792, 1836],
    reason: "unreachable",
    next: "Name the server that may be written",
  },
  {
    errors: [1021, 1114, 3, 28],
    reason: "full",
    next: "Free some space; what was committed is safe",
  },
  { errors: [1037, 1038, 1041], reason: "full" },
  {
    errors: [1205, 1213, 1020, 1317, 1969, 3024],
    reason: "busy",
    next: "Look for a transaction that is open for long: SHOW ENGINE INNODB STATUS",
  },
];
/** Deadlocks, waits for locks that took too long, and rows that changed meanwhile. */
const CONFLICTS = [1205, 1213, 1020];
const NO_SUCH_TABLE = 1146;
/** More than `max_allowed_packet`; more than a tenth of the redo log. */
const TOO_LARGE = [1153, 1118];

/** Whether a request was undone because of others, so that it can be sent again. */
export const isConflict = (error: unknown): boolean => CONFLICTS.includes(numberOf(error));

/** Whether the tables are not there yet. */
export const isWithoutTables = (error: unknown): boolean => numberOf(error) === NO_SUCH_TABLE;

function numberOf(error: unknown): number {
  return (error as MysqlError | undefined)?.errno ?? 0;
}

/** What a server needs to take every document. */
const ROOM = "Raise max_allowed_packet of the server to 64M, and its redo log " +
  "(innodb_log_file_size, innodb_redo_log_capacity) to 256M";

/** The error for a request that is longer than the server takes. */
export function requestTooLarge(bytes: number, limit: number): MpError {
  return new MpError(
    "request_too_large",
    `Cannot commit: the request has ${bytes} bytes, and the MySQL server takes ${limit}`,
    { next: `${ROOM}; a quote in a document counts twice` },
  );
}

/** The fault of an error while a request was under way. */
export function mysqlFault(error: unknown, where: string): MpError {
  if (error instanceof MpError) return error;
  if (TOO_LARGE.includes(numberOf(error))) {
    return new MpError("request_too_large", `Cannot commit: ${shortMessage(error)}`, {
      cause: withoutStatements(error),
      next: ROOM,
    });
  }
  if (error instanceof NoAnswer) {
    return storageFault("reply_lost", `Cannot tell what mysql at ${where} did: ${error.message}`, {
      cause: error.cause,
    });
  }
  if (error instanceof NotConnected) return mysqlUnreachable(error.cause, where);
  return fault(error, `Cannot use mysql at ${where}`, "damaged");
}

/** The fault of a connection that cannot be made. */
export function mysqlUnreachable(error: unknown, where: string): MpError {
  if (error instanceof MpError) return error;
  if (error instanceof NotConnected) return mysqlUnreachable(error.cause, where);
  return fault(error, `Cannot reach mysql at ${where}`, "unreachable");
}

function fault(error: unknown, doing: string, otherwise: FaultReason): MpError {
  const cause = CAUSES.find(({ errors }) => errors.includes(numberOf(error)));
  const reason = cause?.reason ?? otherwise;
  return storageFault(reason, `${doing}: ${shortMessage(error)}`, {
    cause: withoutStatements(error),
    next: cause?.next ??
      (reason === "unreachable" ? "Start it, or choose another storage with --storage" : undefined),
  });
}

const shortMessage = (error: unknown) =>
  messageOf(error).split("\n")[0]!.slice(0, 200) || "no connection";

/** The library adds the statements to its errors, with all the data in them. */
function withoutStatements(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errno } = error as MysqlError;
  return Object.assign(new Error(error.message), { code, errno });
}
