/** Planted: what a body has seen is acted on before anything is known to be so. */
import * as mp from "@metaparticle/mp";

const buy = async () => {
  let isSold = false;
  await mp.scoped("tickets", (tickets) => {
    tickets.left ??= 5;
    if (tickets.left === 0) return;
    tickets.left--;
    isSold = true;
  });
  return isSold;
};

mp.service("tickets", mp.spread(3, buy), { expose: true });
mp.serve();
