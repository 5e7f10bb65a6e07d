/**
 * What a thing does when only one client at a time uses it. Types only.
 *
 * @module
 */

/**
 * How one copy of something behaves that carries out one operation after the other. A history is right when
 * each of its operations could have happened at one moment between its call and its return, with the
 * outputs that a model says.
 */
export interface Model<State, Input, Output> {
  /** The state before any operation. */
  readonly initial: State;
  /**
   * Carries out one operation. Pure: it never changes `state`, and returns that very state where the
   * operation changes nothing.
   */
  apply(state: State, input: Input): Applied<State, Output>;
  /**
   * Whether a client may have got `actual` where the model says `expected`. Default: when both are the
   * same JSON.
   */
  accepts?(expected: Output, actual: Output): boolean;
  /**
   * Whether an operation that returned `output` changes nothing, whatever the state before it. Default: none is known to.
   * Knowing it makes searching far faster.
   */
  isRead?(input: Input, output: Output): boolean;
  /**
   * Whether an operation can return `output` neither now nor in any state that comes after this one. Default: of none is
   * this known. Where states only grow, such as counters, knowing it makes finding what is wrong far faster.
   */
  isPast?(state: State, input: Input, output: Output): boolean;
  /** A text that two states share only when they are the same. Default: their JSON. */
  key?(state: State): string;
}

/** What an operation leaves behind and returns. */
export interface Applied<State, Output> {
  readonly state: State;
  readonly output: Output;
}
