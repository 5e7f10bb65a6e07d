/**
 * Durations as people write them.
 *
 * @module
 */

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration: `500ms`, `30s`, `1.5h`, `1h30m`; a bare number is in seconds.
 *
 * @returns Milliseconds, or nothing when it is none.
 */
export function readDuration(written: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(written)) return Number(written) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(written)) return undefined;
  let sum = 0;
  for (const [, number, unit] of written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    sum += Number(number) * UNITS[unit!]!;
  }
  return sum;
}

/** Writes a duration in its two largest units: `4 s`, `2 min 5 s`, `3 h 4 min`, `2 d 1 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [d, h, min, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  if (d > 0) return h > 0 ? `${d} d ${h} h` : `${d} d`;
  if (h > 0) return min > 0 ? `${h} h ${min} min` : `${h} h`;
  if (min > 0) return s > 0 ? `${min} min ${s} s` : `${min} min`;
  return `${s} s`;
}
