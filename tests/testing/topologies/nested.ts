/** Shards that each have leaves of their own. */
import * as mp from "@metaparticle/mp";

type Question = { user: string; word: string };

const leaf = ({ word }: Question) => {
  const { path, index, name } = mp.current().replica;
  return { path, index, name, letters: word.length };
};
const gather = (parts: ReturnType<typeof leaf>[]) => parts;

mp.service(
  "nested",
  mp.shard(2, ({ user }: Question) => user, mp.scatter(2, leaf, gather)),
  { expose: true },
);
mp.serve();
