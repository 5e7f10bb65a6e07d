/**
 * What goes with a call between replicas: its request id, then the user for whom it is made, and its
 * idempotency key behind an equals sign, each behind a space.
 *
 * @module
 */

/** What is told of a call. */
export interface CallOrigin {
  /** Without a space or a tab. */
  readonly requestId: string;
  readonly user: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** Writes what goes with a call. */
export function encodeMeta({ requestId, user, idempotencyKey }: CallOrigin): string {
  const meta = user === undefined ? requestId : `${requestId} ${encodeURIComponent(user)}`;
  return idempotencyKey === undefined ? meta : `${meta} =${encodeURIComponent(idempotencyKey)}`;
}

/** Reads what went with a call. */
export function decodeMeta(meta: string): CallOrigin {
  const space = meta.indexOf(" ");
  if (space < 0) return { requestId: meta, user: undefined, idempotencyKey: undefined };
  // an escaped name has neither of the two
  const key = meta.indexOf("=", space);
  const end = key < 0 ? meta.length : key - 1;
  return {
    requestId: meta.slice(0, space),
    user: end <= space ? undefined : decodeURIComponent(meta.slice(space + 1, end)),
    idempotencyKey: key < 0 ? undefined : decodeURIComponent(meta.slice(key + 1)),
  };
}
