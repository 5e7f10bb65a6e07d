// A scatter that can do without one of its leaves.
import * as mp from "@metaparticle/mp";

const leaf = () => 1;
const gather = (parts: number[]) => parts.length;
mp.service("most", mp.scatter({ replicas: 10, leaf, gather, minParts: 9, timeout: 500 }), {
  expose: true,
});
mp.serve();
