import * as mp from "@metaparticle/mp";

mp.service("echo", (request: unknown) => ({ "request-was": request }), { expose: true });
mp.serve();
