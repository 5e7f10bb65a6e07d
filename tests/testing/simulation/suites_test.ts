// A few seeds of each suite; `deno task test:simulate` runs many more.
import { assert } from "@std/assert";
import { simulate } from "@metaparticle/mp/testing";
import { SUITES } from "./suites.ts";

const RUNS = 40;

for (const { name, script, options } of SUITES) {
  Deno.test(`simulated: ${name}`, async () => {
    const { faults } = await simulate(script, { ...options(), runs: RUNS });
    assert(faults > RUNS / 2, `only ${faults} faults came`);
  });
}
