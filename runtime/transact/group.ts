/**
 * Which transactions must be one commit: those that are connected by scopes.
 *
 * @module
 */

/**
 * Splits transactions into groups, so that no scope is in two of them. Order is kept, within and among
 * groups.
 *
 * Union-find with path halving (Tarjan and van Leeuwen, 1984) over the scopes.
 *
 * @param scopesOf The scopes of a transaction, at least one.
 */
export function groupByScope<T>(
  transactions: readonly T[],
  scopesOf: (transaction: T) => Iterable<string>,
): T[][] {
  if (transactions.length < 2) return transactions.length === 0 ? [] : [[...transactions]];
  const parents = new Map<string, string>();
  const find = (scope: string): string => {
    let at = scope;
    for (let parent = parents.get(at)!; parent !== at; parent = parents.get(at)!) {
      parents.set(at, parents.get(parent)!);
      at = parents.get(at)!;
    }
    return at;
  };
  const firsts = transactions.map((transaction) => {
    let first: string | undefined;
    for (const scope of scopesOf(transaction)) {
      if (!parents.has(scope)) parents.set(scope, scope);
      if (first === undefined) first = scope;
      else parents.set(find(scope), find(first));
    }
    return first!;
  });
  const groups = new Map<string, T[]>();
  transactions.forEach((transaction, i) => {
    const root = find(firsts[i]!);
    const group = groups.get(root);
    if (group) group.push(transaction);
    else groups.set(root, [transaction]);
  });
  return [...groups.values()];
}
