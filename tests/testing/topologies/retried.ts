/** Calls that may be made again: by the router, by another service, and by a client with a key. */
import * as mp from "@metaparticle/mp";

const record = (mark: string) =>
  mp.scoped("marks", (marks) => {
    marks.all = [...(marks.all ?? []), mark];
    return (marks.all as string[]).length;
  });

const ledger = mp.service("ledger", mp.spread({ replicas: 3, target: record, retries: 3 }));

/** Asks again itself, with the same key. */
mp.service("till", async (mark: string) => {
  for (let attempt = 0;; attempt++) {
    try {
      return await ledger.call(mark, { idempotencyKey: mark, timeout: 1_000 });
    } catch (error) {
      if (attempt === 2) throw error;
    }
  }
}, { expose: true });
mp.serve();
