/** The entries of a map, or of an object that is used as one. Pure. */
export function entriesOf(
  map: Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>,
): Iterable<readonly [string, unknown]> {
  return map instanceof Map ? map : Object.entries(map);
}
