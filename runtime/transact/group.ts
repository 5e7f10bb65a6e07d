/**
 * Which transactions must be one commit: those that are connected by scopes.
 *
 * @module
 */

/** What has been touched. */
export interface Touching {
  readonly scopes: Iterable<string>;
}

/**
 * Splits transactions into groups, so that no scope is in two of them. Order is kept, within and among
 * groups.
 *
 * Union-find with path halving (Tarjan and van Leeuwen, 1984) over the scopes.
 */
export function groupByScope<T extends Touching>(transactions: readonly T[]): T[][] {
  const parents = new Map<string, string>();
  const find = (scope: string): string => {
    let at = scope;
    for (let parent = parents.get(at)!; parent !== at; parent = parents.get(at)!) {
      parents.set(at, parents.get(parent)!);
      at = parents.get(at)!;
    }
    return at;
  };
  for (const { scopes } of transactions) {
    let first: string | undefined;
    for (const scope of scopes) {
      if (!parents.has(scope)) parents.set(scope, scope);
      if (first === undefined) first = scope;
      else parents.set(find(scope), find(first));
    }
  }
  const groups = new Map<string, T[]>();
  for (const transaction of transactions) {
    const [first] = transaction.scopes;
    const root = find(first!);
    const group = groups.get(root);
    if (group) group.push(transaction);
    else groups.set(root, [transaction]);
  }
  return [...groups.values()];
}
