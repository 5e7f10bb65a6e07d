/** Answers the same inputs round after round, and prints how much memory is in use after each. */

import fc from "fast-check";
import { rpcApp } from "../../../runtime/rpc/app.ts";
import { families, LIMITS } from "./fuzz_inputs.ts";
import { service } from "./served.ts";

const [seed, rounds, perFamily] = Deno.args.map(Number) as [number, number, number];
const { gc } = globalThis as unknown as { gc(): void };
const { fetch } = rpcApp({ service, limits: LIMITS });
const bodies = Object.values(families).flatMap((family) =>
  fc.sample(family, { seed, numRuns: perFamily }) as Uint8Array<ArrayBuffer>[]
);
for (let round = 0; round < rounds; round++) {
  for (const body of bodies) {
    for (const saysLength of [true, false]) {
      const headers = new Headers({ "content-type": "application/json" });
      if (saysLength) headers.set("content-length", String(body.length));
      const request = new Request("http://localhost/", { method: "POST", headers, body });
      await (await fetch(request)).text();
    }
  }
  gc();
  console.log(Deno.memoryUsage().heapUsed);
}
