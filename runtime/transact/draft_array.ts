/**
 * The methods of arrays that move elements. The language's own would make a draft of each element that
 * they move; these move elements as they are.
 *
 * @module
 */

import type { Draft } from "./draft.ts";

type Compare = (a: unknown, b: unknown) => number;
type Run = (draft: Draft, array: unknown[], args: unknown[]) => unknown;

const METHODS = {
  push: (draft, array, items) => {
    items.forEach((item) => draft.take(item));
    return array.push(...items);
  },
  pop: (draft, array) => draft.see(array.pop(), ""),
  shift: (draft, array) => draft.see(array.shift(), ""),
  unshift: (draft, array, items) => {
    items.forEach((item) => draft.take(item));
    return array.unshift(...items);
  },
  splice: (draft, array, args) => {
    args.slice(2).forEach((item) => draft.take(item));
    const removed = array.splice(...args as [number, number, ...unknown[]]);
    return removed.map((value) => draft.see(value, ""));
  },
  reverse: (draft, array) => {
    array.reverse();
    return draft.proxy;
  },
  sort: (draft, array, [compare]) => {
    const seen = (value: unknown) => draft.see(value, "");
    const ordered = compare as Compare | undefined;
    array.sort(ordered && ((a, b) => ordered(seen(a), seen(b))));
    return draft.proxy;
  },
} satisfies Record<string, Run>;

/** Makes the methods, by their names. @param draftOf Tells the draft of what a method is called on. */
export function arrayMethods(
  draftOf: (value: object) => Draft | undefined,
): Readonly<Record<string, unknown>> {
  const method = (name: keyof typeof METHODS, run: Run) =>
    function (this: unknown[], ...args: unknown[]): unknown {
      const draft = draftOf(this);
      if (draft === undefined) return Reflect.apply(Array.prototype[name], this, args);
      draft.owner.use(draft.scope);
      return run(draft, draft.change() as unknown as unknown[], args);
    };
  return Object.fromEntries(
    Object.entries(METHODS).map(([name, run]) => [name, method(name as keyof typeof METHODS, run)]),
  );
}
