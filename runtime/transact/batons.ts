/**
 * Scopes that replicas hand on to each other while their commits are on their way.
 *
 * A commit on a scope that others change too is of use to them only when it is known what it has made of the scope. The
 * storage tells that when the commit is durable, so replicas that wait for it make one commit each time that the
 * storage writes to its disk, however many it could take along. So whoever sends a commit tells the replica whose turn is next what the
 * scope will be, and that one's commit follows at once: it checks the version of the first, which the storage carries out before
 * it. A chain of commits is under way then, of all replicas in turn.
 *
 * That is a bet on the commits before, and nothing else: the storage refuses every commit that rests on one that was not
 * carried out, and nothing that a body has produced on such a state leaves its replica.
 *
 * @module
 */

import { sessionOf } from "../storage/version.ts";
import type { Version } from "../storage/storage.ts";
import { type Baton, encodeBaton, MOST_HANDED, restsOn, type Siblings } from "./baton.ts";
import type { Rotation } from "./rotation.ts";

/** How many commits on which a scope rests are told: at least a round of all replicas, for those to know their own. */
const MOST_RESTS = 16;
/** How many scopes are remembered of which a commit was refused. */
const MOST_VOID = 100;

/** Options of {@linkcode Batons}. */
export interface BatonsOptions {
  readonly siblings: Siblings;
  readonly rotation: Rotation;
  /** This replica's session now. */
  readonly session: () => string;
}

/** What a commit makes of a scope. */
export type Change = Pick<Baton, "scope" | "version" | "text"> & {
  /** The version that the commit checks. */
  readonly before: Version | null;
};

/** See the module's documentation. */
export class Batons {
  #options: BatonsOptions;
  /** What has come and was not used yet, by scope. */
  #atHand = new Map<string, Baton>();
  /** The last commit of this replica that was refused, by scope: what rests on it will be refused as well. */
  #void = new Map<string, Version>();

  constructor(options: BatonsOptions) {
    this.#options = options;
  }

  /** The scopes that are at hand. */
  get scopes(): readonly string[] {
    return [...this.#atHand.keys()];
  }

  /** Whether it rests on a commit of this replica that was refused. */
  isVoid(baton: Baton): boolean {
    const version = this.#void.get(baton.scope);
    return version !== undefined && restsOn(baton, version);
  }

  /** Keeps what has come. */
  keep(baton: Baton): void {
    this.#atHand.set(baton.scope, baton);
  }

  /** What has come of a scope, if it rests on a commit. */
  after(scope: string, version: Version): Baton | undefined {
    const baton = this.#atHand.get(scope);
    return baton !== undefined && restsOn(baton, version) ? baton : undefined;
  }

  /** Notes that a commit was not carried out, and forgets what rests on it. */
  refused(scope: string, version: Version): void {
    if (this.after(scope, version)) this.#atHand.delete(scope);
    if (this.#void.size >= MOST_VOID) this.#void.clear();
    this.#void.set(scope, version);
  }

  /** Forgets what has come of a scope. */
  forget(scope: string): void {
    this.#atHand.delete(scope);
  }

  /**
   * Takes what a commit of this replica makes of a scope, to be handed on when the commit has left.
   *
   * @returns Nothing when nobody waits for it.
   */
  use({ before, ...change }: Change): Baton | undefined {
    const { rotation, session } = this.#options;
    const at = this.#atHand.get(change.scope);
    this.#atHand.delete(change.scope);
    if (rotation.next(change.scope, session()).length === 0) return undefined;
    if (change.text !== null && change.text.length > MOST_HANDED) return undefined;
    const rests = at !== undefined && at.version === before ? at.rests : [];
    return { ...change, rests: before === null ? [] : [before, ...rests].slice(0, MOST_RESTS) };
  }

  /** Hands a scope on to whoever is next and can be reached. */
  handOn(baton: Baton): void {
    const { siblings, rotation, session } = this.#options;
    const text = encodeBaton(baton);
    for (const next of rotation.next(baton.scope, session())) {
      if (siblings.tell(next, text)) return;
    }
  }

  /** Hands on what nobody here has a use for. Whose own commit comes back to it keeps the scope: nobody else wants it. */
  pass(scope: string): void {
    const baton = this.#atHand.get(scope)!;
    this.#atHand.delete(scope);
    if (sessionOf(baton.version) !== this.#options.session()) this.handOn(baton);
  }
}
