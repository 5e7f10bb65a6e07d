/**
 * The weather of a simulated network: how long things take is drawn from the seed.
 *
 * @module
 */

import type { Fate, Message, Weather } from "../../drivers/memory/network.ts";
import type { NetworkRules } from "../network_rules.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** One in so many messages is slow. */
const SLOW_ONE_IN = 16;

/** See the module's documentation. */
export class SimulatedWeather implements Weather {
  #rules: NetworkRules;
  #random: SeededRandom;
  #onSend: () => void;
  /** How long a message takes mostly, in milliseconds. */
  #usual: number;

  /**
   * @param rules What the test, and the faults, say.
   * @param onSend Told of everything that is sent, before it is judged.
   */
  constructor(rules: NetworkRules, random: SeededRandom, onSend: () => void) {
    this.#rules = rules;
    this.#random = random;
    this.#onSend = onSend;
    this.#usual = 0.05 + random() ** 2 * 3;
  }

  judge(message: Message): Fate {
    this.#onSend();
    return this.#later(this.#rules.judge(message));
  }

  judgeEnd(from: string, to: string): "held" | number {
    return this.#later(this.#rules.judgeEnd(from, to)) as "held" | number;
  }

  judgeDoor(from: string, to: string): Fate {
    this.#onSend();
    return this.#later(this.#rules.judgeDoor(from, to));
  }

  /** Adds how long it takes. */
  #later(fate: Fate): Fate {
    if (typeof fate !== "number") return fate;
    return fate + this.latency();
  }

  /** How long something takes on its way, in milliseconds: mostly little, and now and then much. */
  latency(): number {
    const random = this.#random;
    const usual = this.#usual * (0.5 + random());
    return random.below(SLOW_ONE_IN) === 0 ? usual * (1 + random() * 40) : usual;
  }
}
