/** Answers that any replica gives alike, asked of a second one when the first is slow. */
import * as mp from "@metaparticle/mp";

const square = (number: number) => ({ number, square: number * number });

mp.service(
  "squares",
  mp.spread({ replicas: 3, target: square, idempotent: true, hedge: { after: 5 } }),
  { expose: true },
);
mp.serve();
