/** The work of examples/histogram.ts, for what is written by hand. */
export interface Sample {
  n: number[];
}

function gaussian(sigma: number, mean: number): number {
  const u1 = 2 * Math.PI * Math.random();
  const u2 = -2 * Math.log(Math.random());
  return Math.sqrt(u2) * Math.cos(u1) * sigma + mean;
}

/** What a leaf answers. */
export function sample(): Sample {
  return { n: Array.from({ length: 100 }, () => gaussian(25, 100)) };
}

/** What the gatherer makes of ten answers. */
export function histogram(samples: Sample[]): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const { n } of samples) {
    for (const value of n) counts[Math.max(0, Math.min(9, Math.floor(value / 20)))]!++;
  }
  return counts;
}
