// Callers in each of four replicas, or in one, that change scopes as fast as they can.
import * as mp from "@metaparticle/mp";

interface Load {
  callers: number;
  /** How many scopes they change; each caller takes one after the other. */
  scopes: number;
  seconds: number;
}

interface Done {
  commits: number;
  /** How long each took, in milliseconds. */
  latencies: number[];
}

async function leaf({ callers, scopes, seconds }: Load): Promise<Done> {
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let i = Math.floor(caller * scopes / callers); performance.now() < end; i++) {
      const began = performance.now();
      await mp.scoped(`scope ${i % scopes}`, (scope) => {
        scope.count = (scope.count ?? 0) + 1;
        return scope.count;
      });
      latencies.push(performance.now() - began);
    }
  }));
  return { commits: latencies.length, latencies };
}

const gather = (parts: Done[]) => parts;
const timeout = 120_000;

mp.service("four", mp.scatter({ replicas: 4, leaf, gather, timeout, expose: true }));
mp.service("one", mp.scatter({ replicas: 1, leaf, gather, timeout, expose: true }));
mp.service("sum", async (scopes: number) => {
  let sum = 0;
  for (let i = 0; i < scopes; i++) sum += await mp.scoped(`scope ${i}`, ({ count }) => count ?? 0);
  return sum;
}, { expose: true, timeout });
mp.serve();
