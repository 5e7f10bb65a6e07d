/** A counter on three replicas, each of which adds in a transaction. */
import * as mp from "@metaparticle/mp";

const add = (amount: number) =>
  mp.scoped("count", (count) => {
    count.sum = (count.sum ?? 0) + amount;
    return count.sum as number;
  });

mp.service("counter", mp.spread(3, add), { expose: true });
mp.serve();
