/**
 * Transactions over scopes that are left to other replicas for a while, and the look at these scopes when that is over.
 *
 * @module
 */

import { decodeKey, encodeKey } from "../storage/key.ts";
import type { Commit, CommitResult, Storage } from "../storage/storage.ts";
import { type Overlay, State } from "./overlay.ts";
import type { Rotation } from "./rotation.ts";
import type { Transaction } from "./transaction.ts";

/** Options of {@linkcode Lookout}. */
export interface LookoutOptions {
  readonly storage: Storage;
  readonly overlay: Overlay;
  readonly rotation: Rotation;
  /** Names a commit. */
  readonly name: () => Pick<Commit, "session" | "seq">;
  /** Called when scopes are known anew; what rests on older states has to run again. */
  readonly onLooked: () => void;
}

/** After how many refusals a transaction's scopes are all loaded at one instant before it runs again. */
const REFUSALS = 3;

/** See the module's documentation. */
export class Lookout {
  #options: LookoutOptions;
  /** Those whose bodies have not run, in the order of arrival. */
  #held: Transaction[] = [];
  /** The scopes for which somebody waits. */
  #wanted = new Set<string>();
  #alarm: { readonly timer: ReturnType<typeof setTimeout>; readonly due: number } | undefined;
  #looking: Promise<void> | undefined;
  #began = 0;
  #closing = new AbortController();

  constructor(options: LookoutOptions) {
    this.#options = options;
  }

  /** For how long a look has had no answer, in milliseconds. */
  get silence(): number {
    return this.#looking === undefined ? 0 : performance.now() - this.#began;
  }

  /** Keeps a transaction whose body would run in vain now. @returns Whether it is one. */
  hold(transaction: Transaction): boolean {
    if (!this.waits(transaction.scopes)) return false;
    transaction.stage = "waiting";
    this.#held.push(transaction);
    return true;
  }

  /** Whether some of the scopes are left to others; then they are looked at in time. */
  waits(scopes: Iterable<string>): boolean {
    let isWaiting = false;
    const now = performance.now();
    for (const scope of scopes) {
      const until = this.#options.rotation.until(scope, now);
      if (until === undefined) continue;
      isWaiting = true;
      this.#wanted.add(scope);
      this.#arm(until);
    }
    return isWaiting;
  }

  /** Takes out those that were held. */
  release(): Transaction[] {
    return this.#held.splice(0);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#alarm?.timer);
    await this.#looking;
  }

  #arm(due: number): void {
    if (this.#looking !== undefined || this.#closing.signal.aborted) return;
    if (this.#alarm !== undefined) {
      if (this.#alarm.due <= due) return;
      clearTimeout(this.#alarm.timer);
    }
    const timer = setTimeout(() => {
      this.#alarm = undefined;
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
        if (!this.#closing.signal.aborted) this.#options.onLooked();
      });
    }, Math.max(0, due - performance.now()));
    this.#alarm = { timer, due };
  }

  /** Looks at the scopes whose time has come. */
  async #look(): Promise<void> {
    const { storage, overlay, rotation, name } = this.#options;
    const began = this.#began = performance.now();
    const due = this.#due(began);
    if (due.length === 0) return;
    const before = due.map((scope) => overlay.confirmed(scope));
    const checks = Array.from(due, (scope, i) => ({
      key: decodeKey(scope),
      version: before[i]?.version ?? null,
    }));
    let result: CommitResult;
    try {
      const commit = { ...name(), checks, mutations: [] };
      [result] = await storage.commit([commit], { signal: this.#closing.signal }) as [CommitResult];
    } catch {
      // their commits will learn what is wrong
      for (const scope of due) rotation.free(scope);
      return;
    }
    const current = new Map(
      (result.done ? [] : result.current).map((state) => [encodeKey(state.key), state]),
    );
    const { session: own } = name();
    for (const [i, scope] of due.entries()) {
      // what others have told meanwhile is newer
      if (overlay.confirmed(scope) !== before[i]) continue;
      const state = current.get(scope);
      if (state !== undefined) overlay.confirm(scope, State.stored(state.value, state.version));
      const version = state === undefined ? checks[i]!.version : state.version;
      rotation.looked(scope, { version, own }, performance.now());
    }
  }

  /** The scopes whose time has come, and with them all those of transactions that were refused too often. */
  #due(now: number): string[] {
    const { rotation, overlay } = this.#options;
    const due = new Set<string>();
    for (const scope of this.#wanted) {
      const until = rotation.until(scope, now);
      // a timer may be a little early
      if (until !== undefined && until > now + 1) continue;
      this.#wanted.delete(scope);
      if (until !== undefined) due.add(scope);
    }
    for (const transaction of this.#held) {
      if (transaction.refusals < REFUSALS) continue;
      const scopes = [...transaction.scopes];
      if (!scopes.some((scope) => due.has(scope))) continue;
      for (const scope of scopes) if (!overlay.isPinned(scope)) due.add(scope);
    }
    return [...due];
  }
}
