/** Notes kept by user, each on the shard of its user. */
import * as mp from "@metaparticle/mp";

type Note = { user: string; mark: string };

const keep = async ({ user, mark }: Note) => {
  const kept = await mp.scoped(`notes of ${user}`, (notes) => {
    notes.marks = [...(notes.marks ?? []), mark];
    return (notes.marks as string[]).length;
  });
  return { kept, shard: mp.current().replica.index };
};

mp.service("notes", mp.shard(3, ({ user }: Note) => user, keep), { expose: true });
mp.serve();
