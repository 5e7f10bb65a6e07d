/**
 * Puts virtual time and seeded randomness in the place of this process's, for everything that runs in it
 * while a simulation does: the runtime, the test's own code, and what replicas are given.
 *
 * @module
 */

import type { SeededRandom } from "./seeded_random.ts";
import { BEGINNING, type VirtualTime, VirtualTimer } from "./virtual_time.ts";

type Callback = (...args: unknown[]) => void;

/** Replaces the globals. @returns Puts them back. */
export function installGlobals(time: VirtualTime, random: SeededRandom): () => void {
  const real = {
    clearTimeout: globalThis.clearTimeout,
    clearInterval: globalThis.clearInterval,
    clearImmediate: globalThis.clearImmediate,
  };
  const clear = (otherwise: (timer: number) => void) => (timer: unknown) => {
    if (timer instanceof VirtualTimer) time.clear(timer);
    // one that was made before the simulation
    else if (timer !== undefined) otherwise(timer as number);
  };
  const after = (run: Callback, milliseconds: number, args: unknown[], every?: number) =>
    time.set(() => run(...args), milliseconds, every);
  const { randomUUID, getRandomValues } = seededCrypto(random);
  const undo = [
    replace(globalThis, {
      setTimeout: (run: Callback, milliseconds = 0, ...args: unknown[]) =>
        after(run, Number(milliseconds), args),
      setInterval: (run: Callback, milliseconds = 0, ...args: unknown[]) =>
        after(run, Number(milliseconds), args, Number(milliseconds)),
      setImmediate: (run: Callback, ...args: unknown[]) => after(run, 0, args),
      clearTimeout: clear(real.clearTimeout),
      clearInterval: clear(real.clearInterval),
      clearImmediate: clear(real.clearImmediate as unknown as (timer: number) => void),
      Date: virtualDate(() => BEGINNING + time.now),
    }),
    replace(performance, { now: () => time.now }),
    replace(Math, { random: () => random() }),
    replace(crypto, { randomUUID, getRandomValues }),
    replace(AbortSignal, {
      timeout(milliseconds: number) {
        const controller = new AbortController();
        time.set(
          () => controller.abort(new DOMException("Signal timed out.", "TimeoutError")),
          milliseconds,
        );
        return controller.signal;
      },
    }),
  ];
  return () => {
    for (const restore of undo) restore();
  };
}

/** A `Date` whose now is another. */
export function virtualDate(now: () => number): DateConstructor {
  return new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [Math.floor(now())] : args, newTarget),
    apply: (target) => new target(Math.floor(now())).toString(),
    get: (target, name, receiver) =>
      name === "now" ? () => Math.floor(now()) : Reflect.get(target, name, receiver),
  });
}

/** What of `crypto` is drawn from a seed. */
export function seededCrypto(random: SeededRandom) {
  const fill = <T extends ArrayBufferView | null>(view: T): T => {
    if (view === null) return view;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
    return view;
  };
  const randomUUID = () => {
    const bytes = fill(new Uint8Array(16));
    bytes[6] = bytes[6]! & 15 | 64;
    bytes[8] = bytes[8]! & 63 | 128;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  return { getRandomValues: fill, randomUUID };
}

function replace(target: object, members: Record<string, unknown>): () => void {
  const before = Object.keys(members).map((name) =>
    [name, Object.getOwnPropertyDescriptor(target, name)] as const
  );
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(target, name, descriptor);
      // it was the prototype's
      else delete (target as Record<string, unknown>)[name];
    }
  };
}
