/**
 * Random numbers that are the same for the same seed.
 *
 * @module
 */

import { hash32 } from "../../runtime/hash.ts";

/** A stream of random numbers. */
export interface SeededRandom {
  /** A number from 0 to 1, without 1. */
  (): number;
  /** A whole number from 0 to `below - 1`. */
  below(below: number): number;
  /** One of some things. */
  pick<T>(from: readonly T[]): T;
  /** A stream of its own, which does not depend on how much of this one is used. */
  fork(name: string): SeededRandom;
}

/** Makes a stream by sfc32 (Doty-Humphrey, PractRand), which passes its tests and needs four words of state. */
export function seededRandom(seed: string): SeededRandom {
  let [a, b, c, d] = [hash32(seed, 1) | 0, hash32(seed, 2) | 0, hash32(seed, 3) | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  const below = (below: number) => Math.floor(next() * below);
  return Object.assign(next, {
    below,
    pick: <T>(from: readonly T[]): T => from[below(from.length)]!,
    fork: (name: string) => seededRandom(`${seed}/${name}`),
  });
}
