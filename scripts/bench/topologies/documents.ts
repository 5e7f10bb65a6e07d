import * as mp from "@metaparticle/mp";

/** The size of a document in bytes, and how many there are. */
const SIZE = Number(Deno.env.get("DOCUMENT_SIZE") ?? 0);
const COUNT = Number(Deno.env.get("DOCUMENTS") ?? 1);

const filling = "x".repeat(SIZE);

// Changes one of the documents, each by turns.
let next = 0;
mp.service("change", () => {
  const name = `document-${next++ % COUNT}`;
  return mp.scoped(name, (scope: { count?: number; filling?: string }) => {
    scope.filling ??= filling;
    return scope.count = (scope.count ?? 0) + 1;
  });
}, { expose: true });
mp.serve();
