/**
 * What goes with a call between replicas: its request id, and behind a space the user for whom it is made.
 *
 * @module
 */

/** What is told of a call. */
export interface CallOrigin {
  /** Without a space or a tab. */
  readonly requestId: string;
  readonly user: string | undefined;
}

/** Writes what goes with a call. */
export function encodeMeta({ requestId, user }: CallOrigin): string {
  return user === undefined ? requestId : `${requestId} ${encodeURIComponent(user)}`;
}

/** Reads what went with a call. */
export function decodeMeta(meta: string): CallOrigin {
  const space = meta.indexOf(" ");
  if (space < 0) return { requestId: meta, user: undefined };
  return { requestId: meta.slice(0, space), user: decodeURIComponent(meta.slice(space + 1)) };
}
