// A launcher that can be killed: it launches three replicas that compute for ever and says so.
import { launch, plan } from "./fixtures.ts";

const [socket] = Deno.args;
await launch(plan({ nodes: [{ path: "a", replicas: 3, env: { FAKE_SPINS: socket! } }] }));
