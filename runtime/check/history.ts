/**
 * Histories: what clients called, and what they got, in the order in which it happened.
 *
 * @module
 */

/** One operation of a history. */
export interface Operation<Input, Output> {
  /** Who called; only shown. */
  readonly client: string | number;
  readonly input: Input;
  /** When it was called, by a clock that all operations of the history have in common. */
  readonly called: number;
  /**
   * When it returned, and what. Without it nobody knows: the operation may have happened at any time after its
   * call, may still happen, or never will.
   */
  readonly returned?: { readonly at: number; readonly output: Output };
}

/** An operation that was called and has not returned. */
export interface Call<Output> {
  /** It returned this. */
  returned(output: Output): void;
  /** It is certain that it has not happened and never will. */
  failed(): void;
  /** Nobody will ever know whether it happened. An operation that never ends is such a one, too. */
  unknown(): void;
}

/**
 * Records a history. Its clock counts calls and returns, so no two are at the same time.
 *
 * @example Record what two clients do
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { History } from "@metaparticle/mp/testing";
 *
 * const history = new History<"increment", number>();
 * const first = history.call("a", "increment");
 * const second = history.call("b", "increment");
 * second.returned(1);
 * first.unknown();
 * assertEquals(history.operations, [
 *   { client: "a", input: "increment", called: 0 },
 *   { client: "b", input: "increment", called: 1, returned: { at: 2, output: 1 } },
 * ]);
 * ```
 */
export class History<Input, Output> {
  #time = 0;
  #operations = new Map<object, Operation<Input, Output>>();

  /** Every operation, in the order of their calls. */
  get operations(): Operation<Input, Output>[] {
    return [...this.#operations.values()];
  }

  /** How many operations have not failed. */
  get size(): number {
    return this.#operations.size;
  }

  /** Notes a call. */
  call(client: string | number, input: Input): Call<Output> {
    const call: Call<Output> = {
      returned: (output) => {
        this.#operations.set(call, { ...operation, returned: { at: this.#time++, output } });
      },
      failed: () => void this.#operations.delete(call),
      unknown: () => {},
    };
    const operation = { client, input, called: this.#time++ };
    this.#operations.set(call, operation);
    return call;
  }
}
