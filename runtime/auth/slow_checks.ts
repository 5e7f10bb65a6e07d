/**
 * Checks of passwords that take long, kept from taking all the time there is.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { keyedDigestText, randomKey } from "./digest.ts";

/** How many right passwords are remembered. */
const REMEMBERED = 1000;
/** How many checks may wait; each takes a tenth of a second or so. */
const WAITING = 100;

/**
 * Makes one check after the other, the same one once for all who ask meanwhile, and remembers those that came
 * out right, so that a caller's first call alone waits. What came out wrong is never remembered: a wrong
 * password takes as long as ever.
 */
export class SlowChecks {
  #key = randomKey();
  #right = new Set<string>();
  #running = new Map<string, Promise<boolean>>();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Makes a check, or tells what it came to.
   *
   * @throws {MpError} `overloaded` when too many wait.
   */
  check(
    user: string,
    password: string,
    matches: () => Promise<boolean>,
  ): boolean | Promise<boolean> {
    const id = this.#idOf(user, password);
    if (this.#right.has(id)) return true;
    const running = this.#running.get(id);
    if (running) return running;
    if (this.#running.size >= WAITING) {
      throw new MpError(
        "overloaded",
        "Cannot tell who calls: too many passwords are being checked",
      );
    }
    const check = this.#last.then(matches).then((right) => {
      if (right) this.#remember(id);
      return right;
    }).finally(() => this.#running.delete(id));
    this.#running.set(id, check);
    this.#last = check.catch(() => {});
    return check;
  }

  /** Whether they came out right before. */
  isRight(user: string, password: string): boolean {
    return this.#right.size > 0 && this.#right.has(this.#idOf(user, password));
  }

  #idOf(user: string, password: string): string {
    // neither a name nor a password holds a line break
    return keyedDigestText(this.#key, `${user}\n${password}`);
  }

  #remember(id: string): void {
    if (this.#right.size >= REMEMBERED) this.#right.delete(this.#right.values().next().value!);
    this.#right.add(id);
  }
}
