/** Tickets that are bought by calls with keys, and that are sold out at times. */
import * as mp from "@metaparticle/mp";

type Tickets = { left?: number; sold?: string[] };

const buy = (mark: string) =>
  mp.scoped("tickets", (tickets: Tickets) => {
    if (!tickets.left) throw new Error("sold out");
    tickets.left--;
    (tickets.sold ??= []).push(mark);
    return tickets.left;
  });

mp.service("buy", mp.spread({ replicas: 3, target: buy, expose: true }));
mp.service(
  "add",
  mp.spread(2, () => {
    mp.scope.tickets.left = (mp.scope.tickets.left ?? 0) + 1;
  }),
  { expose: true },
);
mp.serve();
