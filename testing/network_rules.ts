/**
 * A network's weather as a test makes it.
 *
 * @module
 */

import type { Fate, MemoryNetwork, Message, Weather } from "../drivers/memory/network.ts";
import { MpError } from "../runtime/errors.ts";
import type { Plan } from "../runtime/plan/plan.ts";
import type { AppNetwork } from "./app.ts";

/** The test, as a side of the network. */
export const CLIENT = "client";

interface Rule {
  readonly concerns: (from: string, to: string) => boolean;
  readonly kind: "delay" | "drop" | "partition";
  readonly milliseconds?: number;
  /** How many more messages are lost. */
  left?: number;
}

/** See the module's documentation. */
export class NetworkRules implements AppNetwork, Weather {
  #network: MemoryNetwork;
  #plan: Plan;
  #rules = new Set<Rule>();

  constructor(network: MemoryNetwork, plan: Plan) {
    this.#network = network;
    this.#plan = plan;
    network.weather = this;
  }

  delay(from: string, to: string, milliseconds: number): Disposable {
    if (!(milliseconds >= 0 && milliseconds < Infinity)) {
      throw new RangeError(`Cannot delay messages by ${milliseconds} ms: give a number from 0`);
    }
    return this.#add({ kind: "delay", concerns: this.#oneWay(from, to), milliseconds });
  }

  drop(from: string, to: string, { times = Infinity }: { times?: number } = {}): Disposable {
    if (!(times >= 1)) throw new RangeError(`Cannot drop ${times} messages: give a number from 1`);
    return this.#add({ kind: "drop", concerns: this.#oneWay(from, to), left: times });
  }

  partition(one: string, other: string): Disposable {
    return this.#add({ kind: "partition", concerns: this.#between(one, other) });
  }

  disconnect(one: string, other: string): void {
    const concerns = this.#between(one, other);
    const hosts = this.#hosts();
    for (const from of hosts) {
      for (const to of hosts) if (concerns(from, to)) this.#network.reset(from, to);
    }
  }

  heal(): void {
    this.#rules.clear();
    this.#network.release();
  }

  judge({ from, to, line }: Message): Fate {
    const { kind } = line;
    return this.#judge(from, to, kind === "call" || kind === "result" || kind === "error");
  }

  judgeDoor(from: string, to: string): Fate {
    return this.#judge(from, to, true);
  }

  #judge(from: string, to: string, carriesCall: boolean): Fate {
    let delay = 0;
    for (const rule of this.#rules) {
      if (!rule.concerns(from, to)) continue;
      if (rule.kind === "partition") return "held";
      if (rule.kind === "delay") delay += rule.milliseconds!;
      else if (carriesCall) {
        if (--rule.left! <= 0) this.#rules.delete(rule);
        return "lost";
      }
    }
    return delay;
  }

  judgeEnd(from: string, to: string): "held" | number {
    let delay = 0;
    for (const { kind, concerns, milliseconds = 0 } of this.#rules) {
      if (!concerns(from, to)) continue;
      if (kind === "partition") return "held";
      delay += milliseconds;
    }
    return delay;
  }

  #add(rule: Rule): Disposable {
    this.#rules.add(rule);
    return {
      [Symbol.dispose]: () => {
        if (this.#rules.delete(rule)) this.#network.release();
      },
    };
  }

  #oneWay(from: string, to: string): Rule["concerns"] {
    const [isFrom, isTo] = [this.#side(from), this.#side(to)];
    return (from, to) => isFrom(from) && isTo(to);
  }

  #between(one: string, other: string): Rule["concerns"] {
    const [isOne, isOther] = [this.#side(one), this.#side(other)];
    return (from, to) => (isOne(from) && isOther(to)) || (isOther(from) && isOne(to));
  }

  #hosts(): string[] {
    const replicas = this.#plan.nodes.flatMap(({ path, replicas }) =>
      Array.from({ length: replicas }, (_, index) => `${path}.${index}`)
    );
    return [CLIENT, ...replicas];
  }

  /** Whether a host is on a side. @throws {MpError} When the plan has no such side. */
  #side(side: string): (host: string) => boolean {
    if (side === "*") return () => true;
    if (this.#plan.nodes.some(({ path }) => path === side)) {
      return (host) => host.startsWith(side) && /^\.\d+$/.test(host.slice(side.length));
    }
    if (this.#hosts().includes(side)) return (host) => host === side;
    throw new MpError(
      "topology_invalid",
      `Cannot find "${side}" in the network: it is no path and no replica of "${this.#plan.app}"`,
      { next: `The paths are ${this.#plan.nodes.map(({ path }) => path).join(", ")}` },
    );
  }
}
