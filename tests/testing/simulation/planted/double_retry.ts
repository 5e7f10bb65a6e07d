/** Planted: an addition that may have been carried out is made again, as if it could not have been. */
import * as mp from "@metaparticle/mp";

const counter = mp.service(
  "counter",
  (amount: number) => mp.scoped("count", (count) => count.sum = (count.sum ?? 0) + amount),
);

mp.service("till", async (amount: number) => {
  for (let attempt = 0;; attempt++) {
    try {
      return await counter.call(amount, { timeout: 300 });
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}, { expose: true });
mp.serve();
