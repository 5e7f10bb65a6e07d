import * as mp from "@metaparticle/mp";

const target = (request: unknown) => ({ "request-was": request });
mp.service("echo", mp.spread({ replicas: 1, target, expose: true }));
mp.serve();
