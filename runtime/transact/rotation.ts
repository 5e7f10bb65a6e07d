/**
 * Which scopes other replicas are changing too, and when it is this one's turn.
 *
 * Where several replicas change one scope, each success of one is a refusal of the others, who have run their
 * bodies in vain, and whoever succeeds learns so first and would always be first again. So they take turns. Nobody has
 * to be asked for that: the version of a scope tells who changed it last, and the order of turns is that of the
 * replicas' sessions, as in a ring. Who comes next goes at once, the others pause for as long as those before
 * them will take, and look at the scope before they run anything. Whoever does not take its turn is passed over.
 *
 * Replicas that reach each other hand the scope on (`batons.ts`): then nobody has to guess when its turn has come, and
 * pauses end when the scope comes; they only bound how long a scope that is lost on its way is waited for.
 *
 * All of this only keeps replicas out of each other's way. What is right is decided by commits.
 *
 * @module
 */

import { sessionOf } from "../storage/version.ts";
import type { Version } from "../storage/storage.ts";

interface Contended {
  /** The sessions of others that have changed it, and when that was seen last. */
  readonly others: Map<string, number>;
  /** How often others were first within a short time. */
  refusals: number;
  /** When others were first for the last time. */
  lastRefusal: number;
  /** The version that was seen last. */
  version: Version | null | undefined;
  /** When its last turn ended. */
  lastTurn: number;
  /** How long a turn takes, about. */
  turn: number;
  /** Until when it is left to others; then it is looked at. `undefined` in a turn of its own. */
  until: number | undefined;
  /** When somebody took a turn for the last time. */
  progress: number;
  /** How often it has paused since its last turn. */
  pauses: number;
  /** How often it has paused after a turn, and nobody else has come. */
  alone: number;
  /** When it was handed on to this replica for the last time. */
  handed: number;
}

/** How many refusals within what time, in milliseconds, make a scope one that others are changing too. */
const CONTENDED = { refusals: 2, within: 500 };
/** For how long it is remembered who changes a scope, in milliseconds. */
const MEMORY = 2_000;
/** The longest pause, in milliseconds. */
const LONGEST = 200;
/** How many times its length a turn may take before it is passed over. */
const PATIENCE = 0.6;
/** How many rounds a scope that is handed on is waited for, and how long at least, in milliseconds. */
const MISSED = { rounds: 2, least: 5 };
/** How often a replica pauses before a turn; from then on it tries again and again, so that nobody is passed over for ever. */
const MOST_PAUSES = 2;
/** How often, and for how long in milliseconds, a replica is always first, before it looks whether somebody waits in vain. */
const ALWAYS_FIRST = { times: 32, for: 100 };
/** After how many pauses in which nobody has come it stops pausing. */
const MOST_ALONE = 3;
/** How many scopes are remembered; those that nobody uses any more stay. */
const MOST_KEPT = 1_000;

/** See the module's documentation. Times are those of `performance.now()`. */
export class Rotation {
  #scopes = new Map<string, Contended>();
  #random: () => number;
  /** The scope that was changed last, how often in a row, and since when. */
  #last = { scope: "", times: 0, since: 0 };

  /** @param random Numbers from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Whether nobody else changes any scope. */
  get isIdle(): boolean {
    return this.#scopes.size === 0;
  }

  /**
   * Notes that others were first.
   *
   * @param version What they have left behind.
   * @param own This replica's session.
   * @param roundTrip How long a round trip takes.
   */
  refused(
    scope: string,
    { version, own, roundTrip }: { version: Version | null; own: string; roundTrip: number },
    now: number,
  ): void {
    const known = this.#scopes.get(scope) ?? this.#note(scope, { version, roundTrip }, now);
    if (now - known.lastRefusal > CONTENDED.within) known.refusals = 0;
    known.refusals++;
    known.lastRefusal = now;
    this.#see(known, version, own, now);
    const isNext = isHandedOn(known, now) && turnsAhead(known, own) === 0;
    if (known.refusals < CONTENDED.refusals || isNext) known.until = undefined;
    else this.#wait(known, own, now);
  }

  /** Notes a success: others may go first. */
  done(
    scope: string,
    { version, own, roundTrip }: { version: Version; own: string; roundTrip: number },
    now: number,
  ): void {
    let known = this.#scopes.get(scope);
    if (known === undefined) {
      if (!this.#isAlwaysFirst(scope, now)) return;
      known = this.#note(scope, { version, roundTrip }, now);
    }
    const around = Math.min(LONGEST, now - known.lastTurn) / (known.others.size + 1);
    known.turn += (around - known.turn) / 8;
    known.version = version;
    known.lastTurn = now;
    known.progress = now;
    known.pauses = 0;
    if (known.refusals < CONTENDED.refusals) known.until = now + 2 * roundTrip;
    else this.#wait(known, own, now);
  }

  /** Notes what a scope was when it was looked at. */
  looked(
    scope: string,
    { version, own }: { version: Version | null; own: string },
    now: number,
  ): void {
    const known = this.#scopes.get(scope);
    if (known === undefined || known.until === undefined) return;
    // it should have been handed on by now
    known.handed = -Infinity;
    const isUnchanged = known.version === version;
    this.#see(known, version, own, now);
    if (isUnchanged && sessionOf(version) === own) {
      // nobody else has come in all that time
      known.until = undefined;
      if (++known.alone < MOST_ALONE) return;
      this.#scopes.delete(scope);
      return;
    }
    known.alone = 0;
    this.#wait(known, own, now);
  }

  /**
   * Notes that a scope has been handed on to this replica: it is its turn.
   *
   * @param versions What its commits have left behind, of which some may still be on their way; the newest first.
   */
  handed(
    scope: string,
    { versions, own, roundTrip }: {
      versions: readonly Version[];
      own: string;
      roundTrip: number;
    },
    now: number,
  ): void {
    const version = versions[0]!;
    const known = this.#scopes.get(scope) ?? this.#note(scope, { version, roundTrip }, now);
    for (const version of versions.toReversed()) this.#see(known, version, own, now);
    known.handed = now;
    known.until = undefined;
    known.pauses = 0;
    known.alone = 0;
  }

  /** The sessions of others that change a scope, in the order of their turns after this one's. */
  next(scope: string, own: string): readonly string[] {
    const known = this.#scopes.get(scope);
    if (known === undefined || known.others.size === 0) return [];
    const sessions = [...known.others.keys()].sort();
    const first = sessions.findIndex((session) => session > own);
    return first <= 0 ? sessions : [...sessions.slice(first), ...sessions.slice(0, first)];
  }

  /** Lets a scope be used, since it could not be looked at. */
  free(scope: string): void {
    const known = this.#scopes.get(scope);
    if (known !== undefined) known.until = undefined;
  }

  /** Until when a scope is left to others; `undefined` when it is this replica's turn, or nobody else's. */
  until(scope: string, now: number): number | undefined {
    const until = this.#scopes.get(scope)?.until;
    if (until === undefined || now - until < MEMORY) return until;
    this.#scopes.delete(scope);
    return undefined;
  }

  /** Whoever is never refused would never learn of others. */
  #isAlwaysFirst(scope: string, now: number): boolean {
    const last = this.#last;
    if (last.scope !== scope) {
      last.scope = scope;
      last.times = 0;
      last.since = now;
    }
    return ++last.times > ALWAYS_FIRST.times && now - last.since > ALWAYS_FIRST.for;
  }

  #note(
    scope: string,
    { version, roundTrip }: { version: Version | null; roundTrip: number },
    now: number,
  ): Contended {
    if (this.#scopes.size >= MOST_KEPT) this.#scopes.clear();
    const known: Contended = {
      ...{
        others: new Map(),
        refusals: 0,
        lastRefusal: now,
        version,
        progress: now,
        lastTurn: now,
      },
      ...{ turn: 1.5 * roundTrip, until: undefined, pauses: 0, alone: 0, handed: -Infinity },
    };
    this.#scopes.set(scope, known);
    this.#last.scope = "";
    return known;
  }

  #see(known: Contended, version: Version | null, own: string, now: number): void {
    const session = sessionOf(version);
    if (known.version !== version) known.progress = now;
    known.version = version;
    if (session === undefined || session === own) return;
    known.others.set(session, now);
    for (const [other, seen] of known.others) {
      if (now - seen > MEMORY) known.others.delete(other);
    }
  }

  /** Decides whether it is its turn now, or how long it takes until then. */
  #wait(known: Contended, own: string, now: number): void {
    if (isHandedOn(known, now)) {
      const missed = MISSED.rounds * known.turn * (known.others.size + 1);
      known.until = now + Math.min(LONGEST, Math.max(MISSED.least, missed));
      return;
    }
    const ahead = turnsAhead(known, own);
    const isStuck = now - known.progress > PATIENCE * Math.max(1, known.turn);
    if (ahead === 0 || isStuck || known.pauses >= MOST_PAUSES) {
      known.until = undefined;
      return;
    }
    known.pauses++;
    const pause = ahead * known.turn * (0.2 + 0.3 * this.#random());
    known.until = now + Math.min(LONGEST, Math.max(1, pause));
  }
}

/** Whether replicas have handed it on lately. */
function isHandedOn({ handed }: Contended, now: number): boolean {
  return now - handed < MEMORY;
}

/** How many others come first, going round from who was last. */
function turnsAhead({ version, others }: Contended, own: string): number {
  const last = sessionOf(version);
  if (last === undefined) return 0;
  let ahead = 0;
  for (const other of others.keys()) {
    if (other === last) continue;
    const isBetween = last < own ? last < other && other < own : other > last || other < own;
    if (isBetween) ahead++;
  }
  // who was last itself comes last
  return last === own ? others.size : ahead;
}
