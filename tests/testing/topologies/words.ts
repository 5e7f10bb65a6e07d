/** Three leaves that each answer with their own index. */
import * as mp from "@metaparticle/mp";

const leaf = (word: string) => ({ index: mp.current().replica.index, length: word.length });
mp.service("words", mp.scatter(3, leaf, (parts) => parts), { expose: true });
mp.serve();
