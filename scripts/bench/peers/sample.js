// The work of examples/histogram.ts.

function gaussian(sigma, mean) {
  const u1 = 2 * Math.PI * Math.random();
  const u2 = -2 * Math.log(Math.random());
  return Math.sqrt(u2) * Math.cos(u1) * sigma + mean;
}

/** What a leaf answers. */
export function sample() {
  return { n: Array.from({ length: 100 }, () => gaussian(25, 100)) };
}

/** What the gatherer makes of the answers. */
export function histogram(samples) {
  const counts = new Array(10).fill(0);
  for (const { n } of samples) {
    for (const value of n) counts[Math.max(0, Math.min(9, Math.floor(value / 20)))]++;
  }
  return counts;
}
