/** Prints the history of a simulation, for a test that compares those of two processes. */
import { simulate } from "@metaparticle/mp/testing";

const { history } = await simulate(import.meta.resolve("../topologies/counter.ts"), {
  seed: "11",
  async scenario(app, world) {
    await world.clients(3, async () => {
      for (let i = 0; i < 4; i++) await app.call("counter", 1, { timeout: 2_000 }).catch(() => {});
    });
  },
});
console.log(history);
