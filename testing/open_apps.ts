/**
 * The topologies that run in this process.
 *
 * @module
 */

import { MpError } from "../runtime/errors.ts";

const open = new Set<{ readonly app: string }>();

/** Notes one that runs. @returns Takes it back. */
export function noteOpen(app: string): () => void {
  const entry = { app };
  open.add(entry);
  return () => void open.delete(entry);
}

/** @param what What needs the process for itself. @throws {MpError} When one runs. */
export function assertNoneOpen(what: string): void {
  const [first] = open;
  if (first === undefined) return;
  throw new MpError(
    "unsupported",
    `Cannot ${what}: "${first.app}" runs in this process, whose time would stand still`,
    { next: "Close it before, with await app.close()" },
  );
}
