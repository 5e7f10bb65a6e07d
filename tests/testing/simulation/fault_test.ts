import { assert, assertEquals, assertMatch } from "@std/assert";
import { planOf } from "@metaparticle/mp/testing";
import { drawFaults, FAULT_KINDS, showFault } from "../../../testing/simulation/fault.ts";
import { seededRandom } from "../../../testing/simulation/seeded_random.ts";

const plan = await planOf(import.meta.resolve("../topologies/shop.ts"));
const draw = (seed: number, kinds = FAULT_KINDS as readonly typeof FAULT_KINDS[number][]) =>
  drawFaults(seededRandom(String(seed)), plan, kinds);

Deno.test("drawFaults() draws the same faults for the same seed, of the kinds that may come", () => {
  assertEquals(draw(5), draw(5));
  const drawn = Array.from({ length: 300 }, (_, seed) => draw(seed)).flat();
  assertEquals(new Set(drawn.map(({ kind }) => kind)), new Set(FAULT_KINDS));
  assert(
    Array.from({ length: 20 }, (_, i) => draw(i, ["crash"])).flat().every(({ kind }) =>
      kind === "crash"
    ),
  );
  assertEquals(draw(1, []), []);
});

Deno.test("drawFaults() names replicas and sides that there are", () => {
  const paths = plan.nodes.map(({ path }) => path);
  const replicas = plan.nodes.flatMap(({ path, replicas }) =>
    Array.from({ length: replicas }, (_, index) => `${path}.${index}`)
  );
  const sides = new Set([...paths, ...replicas, "client"]);
  const drawn = Array.from({ length: 300 }, (_, seed) => draw(seed)).flat();
  for (const { kind, one, other } of drawn) {
    if (kind === "crash" || kind === "outage") assert(replicas.includes(one), one);
    else assert(sides.has(one) && sides.has(other), `${one} ${other}`);
  }
  // every replica crashes at some time
  const crashed = new Set(drawn.filter(({ kind }) => kind === "crash").map(({ one }) => one));
  assertEquals(crashed.size, replicas.length);
});

Deno.test("showFault() says of every kind what it does", () => {
  for (const fault of Array.from({ length: 100 }, (_, seed) => draw(seed)).flat()) {
    assertMatch(showFault(fault), /^fault \d: .+ \(after \d+ messages\)$/);
  }
});
