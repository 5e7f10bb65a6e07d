/**
 * Credentials that were right lately, so that a caller who comes again costs next to nothing.
 *
 * @module
 */

/** How many are remembered. */
const REMEMBERED = 1000;

/**
 * Remembers what was right, as it is: only for what the process knows in plain text anyway. What is wrong is
 * never in it, and is told with all care elsewhere; that something is found here tells no more than that
 * it is right. Texts are compared only where their hashes, which have a seed, are the same.
 */
export class RightOnes<Who> {
  #right = new Map<string, Who>();

  /** Whose they are, if they were right before. */
  get(credentials: string): Who | undefined {
    return this.#right.get(credentials);
  }

  add(credentials: string, who: Who): void {
    if (this.#right.size >= REMEMBERED) this.#right.delete(this.#right.keys().next().value!);
    this.#right.set(credentials, who);
  }
}
