/**
 * A full-text search engine: the text files of a folder, sharded over leaves.
 *
 * ```sh
 * mp run examples/search/topology.ts --env CORPUS=./docs    # without CORPUS: the texts in ./corpus
 * mp client search '"address book"'                         # words that may occur
 * mp client search '"\"address book\" repl* -docker"'       # a phrase that must, a beginning, a word that must not
 * mp client search '{"query":"replica","limit":3}'
 * ```
 *
 * Every leaf reads, and keeps in memory, the files that its number gives it. A search asks all leaves twice:
 * see ranking.ts for why. The other modules know nothing of replicas; all of the architecture is here.
 *
 * @module
 */

import * as mp from "@metaparticle/mp";
import { checkFolder } from "./corpus.ts";
import type { InvertedIndex } from "./inverted_index.ts";
import { parseQuery } from "./query.ts";
import { answerRound, type Hit, mergeAnswers, type Round } from "./rounds.ts";
import { indexShare } from "./share.ts";

/** What is asked: a query, or a query and how many hits are wanted (10 unless said, at most 100). */
export type Request = string | { query: string; limit?: number };

/** What is answered. */
export interface Response {
  /** How many documents were found. */
  found: number;
  /** How many there are. */
  documents: number;
  /** The best of those that were found, the best first. */
  hits: readonly Hit[];
}

const folder = Deno.env.get("CORPUS") || mp.files(`${import.meta.dirname}/corpus`);

// What is wrong at the top level of a script stops `mp run` before anything is launched.
checkFolder(folder);

let share: Promise<InvertedIndex> | undefined;

/** Runs on every leaf. The first request makes the leaf's index; those that come meanwhile wait for it. */
async function leaf(round: Round, { replica }: mp.Context) {
  share ??= indexShare(folder, replica).catch((error) => {
    share = undefined; // the next request tries again
    throw error;
  });
  return answerRound(await share, round);
}

// Not exposed: it is there for the other service.
const index = mp.service("index", mp.scatter(3, leaf, mergeAnswers));

/** Runs on the front: parses the query, and asks the leaves twice. */
async function search(request: Request): Promise<Response> {
  const { query, limit } = parseRequest(request);
  const { statistics } = await index.call({ query, limit });
  const { found, hits } = await index.call({ query, limit, statistics });
  const rounded = hits.map((hit) => ({ ...hit, score: Math.round(hit.score * 1000) / 1000 }));
  return { found, documents: statistics.documents, hits: rounded };
}

function parseRequest(request: Request): Round {
  const { query, limit = 10 } = typeof request === "string" ? { query: request } : request ?? {};
  if (typeof query !== "string") {
    throw new TypeError("Cannot search: the request is neither a query nor { query, limit }");
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw new RangeError(`Cannot search for ${limit} hits: ask for 1 to 100`);
  }
  return { query: parseQuery(query), limit };
}

mp.service("search", search, { expose: true });

mp.serve();
