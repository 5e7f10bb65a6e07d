/**
 * Makes the faults of a run happen.
 *
 * @module
 */

import type { MemoryDeployment } from "../../drivers/memory/deployment.ts";
import type { NetworkRules } from "../network_rules.ts";
import { type Fault, showFault } from "./fault.ts";
import type { History } from "./history.ts";
import type { StorageWeather } from "./simulated_storage.ts";

/** What faults reach into. */
export interface FaultInjectorOptions {
  readonly faults: readonly Fault[];
  readonly deployment: MemoryDeployment;
  readonly rules: NetworkRules;
  readonly storage: StorageWeather;
  readonly history: History;
}

/** The longest delay of a message, in milliseconds. */
const LONGEST_DELAY = 500;

/** See the module's documentation. */
export class FaultInjector {
  /** Those that came, in the order of their numbers. */
  readonly came: Fault[] = [];
  #options: FaultInjectorOptions;
  #sent = 0;
  #isActive = false;
  #ends = new Set<() => void>();

  constructor(options: FaultInjectorOptions) {
    this.#options = options;
  }

  /** From now on faults come. */
  begin(): void {
    this.#isActive = true;
  }

  /** Ends all faults, and those to come. */
  heal(): void {
    this.#isActive = false;
    for (const end of [...this.#ends]) end();
    this.#options.rules.heal();
    const { away, losing, contended } = this.#options.storage;
    for (const set of [away, losing, contended]) set.clear();
  }

  /** Counts what is sent. */
  sent(): void {
    if (!this.#isActive) return;
    this.#sent++;
    for (const fault of this.#options.faults) {
      // not in the middle of what is being done
      if (fault.after === this.#sent) setTimeout(() => this.#come(fault), 0);
    }
  }

  #come(fault: Fault): void {
    if (!this.#isActive) return;
    this.came.push(fault);
    this.#options.history.note(`*** ${showFault(fault)}`);
    const end = this.#start(fault);
    if (end === undefined) return;
    const finish = () => {
      clearTimeout(timer);
      this.#ends.delete(finish);
      end();
      this.#options.history.note(`*** fault ${fault.number} is over`);
    };
    const timer = setTimeout(finish, fault.duration);
    this.#ends.add(finish);
  }

  /** @returns Ends what lasts. */
  #start({ number, kind, one, other, duration }: Fault): (() => void) | undefined {
    const { deployment, rules, storage } = this.#options;
    const dot = one.lastIndexOf(".");
    const replica = () =>
      deployment.replica({ path: one.slice(0, dot), index: Number(one.slice(dot + 1)) });
    switch (kind) {
      case "crash":
        return void replica().crash(`killed by fault ${number}`, true);
      case "pause": {
        const paused = replica();
        paused.pause(true);
        return () => paused.pause(false);
      }
      case "partition":
        return disposer(rules.partition(one, other));
      case "delay":
        return disposer(rules.delay(one, other, Math.min(duration, LONGEST_DELAY)));
      case "drop":
        return void rules.drop(one, other, { times: 1 });
      case "disconnect":
        return void rules.disconnect(one, other);
      case "lost_reply":
        return void storage.losing.add(one);
      case "conflict":
        return void storage.contended.add(one);
      case "outage":
        storage.away.add(one);
        return () => storage.away.delete(one);
    }
  }
}

function disposer(disposable: Disposable): () => void {
  return () => disposable[Symbol.dispose]();
}
