/** Planted: what is added is read in one transaction and written in another. */
import * as mp from "@metaparticle/mp";

const add = async (amount: number) => {
  const sum = await mp.scoped("count", (count) => (count.sum ?? 0) as number);
  return await mp.scoped("count", (count) => count.sum = sum + amount);
};

mp.service("counter", mp.spread(3, add), { expose: true });
mp.serve();
