/**
 * Scopes that replicas hand on to each other while their commits are on their way.
 *
 * A commit on a scope that others change too is of use to them only when it is known what it has made of the scope. The
 * storage tells that when the commit is durable, so replicas that wait for it make one commit each time that the
 * storage writes to its disk, however many it could take along. So whoever sends a commit tells the replica whose turn is
 * next what the scope will be, and that one's commit follows at once: it checks the version of the first, which the
 * storage carries out before it. A chain of commits is under way then, of all replicas in turn.
 *
 * That is a bet on the commits before, and nothing else: the storage refuses every commit that rests on one that was not
 * carried out, and nothing that a body has produced on such a state leaves its replica.
 *
 * @module
 */

import { afterTurn } from "../peer/turn.ts";
import { sessionOf, versionOf } from "../storage/version.ts";
import { encodeKey } from "../storage/key.ts";
import type { CommitResult, Version } from "../storage/storage.ts";
import {
  type Baton,
  decodeBaton,
  encodeBaton,
  MOST_HANDED,
  restsOn,
  type Siblings,
} from "./baton.ts";
import type { MadeCommit } from "./make_commit.ts";
import { type Overlay, State } from "./overlay.ts";
import type { Rotation } from "./rotation.ts";

/** How many commits on which a scope rests are told: at least a round of all replicas, for those to know their own. */
const MOST_RESTS = 16;
/** How many scopes are remembered of which a commit was refused. */
const MOST_VOID = 100;

/** Options of {@linkcode Batons}. */
export interface BatonsOptions {
  readonly siblings: Siblings;
  readonly overlay: Overlay;
  readonly rotation: Rotation;
  /** This replica's session, and how long a round trip to the storage takes, now. */
  readonly own: () => { readonly session: string; readonly roundTrip: number };
  /** Whether a commit that is on its way changes a scope. */
  readonly isWritten: (scope: string) => boolean;
  /** Whether there are transactions here that go on with a scope. */
  readonly isWanted: (scope: string) => boolean;
  /** Called when a scope was handed on to this replica: what rests on an older state has to run again. */
  readonly onTaken: () => void;
}

/** See the module's documentation. */
export class Batons {
  #options: BatonsOptions;
  /** What has come and was not used yet, by scope. */
  #atHand = new Map<string, Baton>();
  /** On what the commits rest that left last, by scope. */
  #resting = new Map<string, readonly Version[]>();
  /** The last commit of this replica that was refused, by scope: what rests on it will be refused as well. */
  #void = new Map<string, Version>();

  constructor(options: BatonsOptions) {
    this.#options = options;
  }

  /** Takes what another replica has handed on, as text. */
  take(text: string): void {
    const baton = decodeBaton(text);
    if (baton === undefined || this.#isVoid(baton)) return;
    // it is of use if it rests on the commit that is on its way, or if that is refused
    if (this.#options.isWritten(baton.scope)) {
      this.#atHand.set(baton.scope, baton);
      return;
    }
    this.#takeUp(baton);
    this.#options.onTaken();
  }

  /** Hands on what commits that leave now make of scopes that others change too. */
  leave(commits: readonly MadeCommit[]): void {
    this.#resting.clear();
    if (this.#options.rotation.isIdle) return;
    const batons = commits.flatMap((made) => this.#batonsOf(made));
    if (batons.length === 0) return;
    // those that come after them must not come before them: clients send at the end of a turn
    setImmediate(() =>
      setImmediate(() => {
        for (const baton of batons) this.#handOn(baton);
      })
    );
  }

  /**
   * Whether the commits that left last have only come before some on which they rest, as may be where each replica has a
   * connection of its own: then they can be sent again as they are.
   */
  areEarly(results: readonly CommitResult[]): boolean {
    return results.every((result) =>
      !result.done &&
      result.current.every(({ key, version }) =>
        version !== null && this.#resting.get(encodeKey(key))?.includes(version) === true
      )
    );
  }

  /**
   * Goes on from what was handed on while a commit was on its way, if it is newer than what has come of that.
   *
   * @param version The scope's, by the answer of the storage.
   */
  landed(scope: string, version: Version): void {
    const baton = this.#atHand.get(scope);
    if (baton === undefined) return;
    if (restsOn(baton, version)) this.#takeUp(baton);
    else this.forget(scope);
  }

  /** Notes that a commit was not carried out, and forgets what rests on it. */
  refused(scope: string, version: Version): void {
    if (this.#void.size >= MOST_VOID) this.#void.clear();
    this.#void.set(scope, version);
    const baton = this.#atHand.get(scope);
    if (baton !== undefined && restsOn(baton, version)) this.forget(scope);
  }

  /** Forgets what has come of a scope. */
  forget(scope: string): void {
    this.#atHand.delete(scope);
  }

  #isVoid(baton: Baton): boolean {
    const version = this.#void.get(baton.scope);
    return version !== undefined && restsOn(baton, version);
  }

  #takeUp(baton: Baton): void {
    const { overlay, rotation, own } = this.#options;
    const { scope, version, text, rests } = baton;
    const { session, roundTrip } = own();
    this.#atHand.set(scope, baton);
    overlay.confirm(scope, State.stored(text ?? undefined, version));
    const seen = { versions: [version, ...rests], own: session, roundTrip };
    rotation.handed(scope, seen, performance.now());
    // when all that can be sent with it has been
    afterTurn(() => {
      if (this.#atHand.get(scope) === baton) this.#pass(baton);
    });
  }

  /** Hands on what nobody here has a use for. Whose own commit comes back to it keeps the scope: nobody else wants it. */
  #pass(baton: Baton): void {
    const { isWanted, isWritten, own } = this.#options;
    const { scope, version } = baton;
    if (isWanted(scope) || isWritten(scope)) return;
    this.forget(scope);
    if (sessionOf(version) !== own().session) this.#handOn(baton);
  }

  #batonsOf({ commit, reads, writes }: MadeCommit): Baton[] {
    const { rotation, own } = this.#options;
    return [...writes.keys()].flatMap((scope, i) => {
      const at = this.#atHand.get(scope);
      this.forget(scope);
      if (rotation.next(scope, own().session).length === 0) return [];
      const mutation = commit.mutations[i]!;
      const text = mutation.op === "put" ? mutation.value : null;
      if (text !== null && text.length > MOST_HANDED) return [];
      const before = reads.get(scope)!.version!;
      const earlier = at !== undefined && at.version === before ? at.rests : [];
      const rests = before === null ? [] : [before, ...earlier].slice(0, MOST_RESTS);
      this.#resting.set(scope, rests);
      return { scope, version: versionOf(commit), text, rests };
    });
  }

  /** Hands a scope on to whoever is next and can be reached. */
  #handOn(baton: Baton): void {
    const { siblings, rotation, own } = this.#options;
    const text = encodeBaton(baton);
    for (const next of rotation.next(baton.scope, own().session)) {
      if (siblings.tell(next, text)) return;
    }
  }
}
