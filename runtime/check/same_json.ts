/**
 * Whether two values are the same JSON.
 *
 * @module
 */

/** Compares values as JSON says them: the order of members is nothing, a member that is `undefined` is not there. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((item, i) => sameJson(item, b[i]));
  }
  const first = a as Record<string, unknown>;
  const second = b as Record<string, unknown>;
  return isWithin(first, second) && isWithin(second, first);
}

function isWithin(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  return Object.keys(a).every((name) =>
    a[name] === undefined || (Object.hasOwn(b, name) && sameJson(a[name], b[name]))
  );
}
