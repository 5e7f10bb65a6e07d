/**
 * Scatter/gather: every request goes to ten leaves at once, and what they answer is merged.
 *
 * Each leaf draws a hundred numbers around 100; the gather counts how many fall between 0 and 20,
 * between 20 and 40, and so on. Eleven processes run: ten leaves and the gather.
 *
 * ```sh
 * mp run examples/histogram.ts
 * mp client histogram-service     # [1,6,40,155,271,312,158,47,10,0]
 * ```
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

/** What a leaf answers. */
interface Leaf {
  n: number[];
}

const BINS = 10;
const WIDTH = 20;

/** A number of the normal distribution, from two of the uniform one (Box and Muller, 1958). */
function gaussian(sigma: number, mean: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return mean + sigma * radius * Math.cos(2 * Math.PI * Math.random());
}

/** Runs on each leaf. */
export const leaf = (): Leaf => ({ n: Array.from({ length: 100 }, () => gaussian(25, 100)) });

/** Runs on the gather, with the answers of all leaves. */
export function histogram(parts: Leaf[]): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const { n } of parts) {
    for (const value of n) {
      // the first and the last bin also hold what lies beyond them
      const bin = Math.min(Math.max(Math.floor(value / WIDTH), 0), BINS - 1);
      counts[bin]!++;
    }
  }
  return counts;
}

const service = mp.service("histogram-service", mp.scatter(10, leaf, histogram));

service.subservices.gather.expose = true;

mp.serve();
