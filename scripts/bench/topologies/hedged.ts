// Two services that are the same but for one option.
import * as mp from "@metaparticle/mp";

const target = (request: unknown) =>
  new Promise<unknown>((resolve) => setTimeout(resolve, 2, request));

mp.service("plain", mp.spread({ replicas: 3, target, expose: true }));
mp.service(
  "hedged",
  mp.spread({ replicas: 3, target, idempotent: true, hedge: { after: "p95" }, expose: true }),
);
mp.serve();
