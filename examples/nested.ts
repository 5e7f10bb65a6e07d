/**
 * Patterns nest: a shard whose targets are scatters.
 *
 * Each user has a shard, and each shard keeps the words of its users spread over three leaves of its own.
 * So a request for one user asks three leaves, not all twelve. Seventeen processes run: the router of the
 * shards, 4 shards, which are the gathers of their leaves, and 4 × 3 leaves.
 *
 * ```sh
 * mp run examples/nested.ts
 * mp client words '{"user":"ada","add":["engine","card","note"]}'
 * # {"user":"ada","words":3,"leaves":[1,1,1],"found":[]}
 * mp client words '{"user":"ada","find":"n"}'
 * # {"user":"ada","words":3,"leaves":[1,1,1],"found":["note"]}
 * ```
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

/** What is asked: words to remember, and the beginning of words to find. */
interface Ask {
  user: string;
  add?: string[];
  find?: string;
}

/** What one leaf answers. */
interface Part {
  words: number;
  found: string[];
}

const SHARDS = 4;
const LEAVES = 3;

// Each leaf has a map of its own, which holds its share of the words of its shard's users.
const wordsOf = new Map<string, Set<string>>();

/** Runs on every leaf of the user's shard. */
function remember({ user, add = [], find }: Ask, { replica }: mp.Context): Part {
  const words = wordsOf.get(user) ?? new Set();
  wordsOf.set(user, words);
  for (const word of add) {
    // every leaf sees every word and keeps those that are its own: `replica.index` counts from 0 to
    // `replica.count - 1` within the shard, whatever number the leaf has among all twelve
    if (mp.shardOf(word, replica.count) === replica.index) words.add(word);
  }
  return {
    words: words.size,
    found: find === undefined ? [] : [...words].filter((word) => word.startsWith(find)),
  };
}

/** Runs on the user's shard. */
export function merge(parts: Part[], { user }: Ask) {
  return {
    user,
    words: parts.reduce((sum, part) => sum + part.words, 0),
    leaves: parts.map((part) => part.words),
    found: parts.flatMap((part) => part.found).sort(),
  };
}

const words = mp.service(
  "words",
  mp.shard(SHARDS, ({ user }: Ask) => user, mp.scatter(LEAVES, remember, merge)),
);

words.expose = true;

mp.serve();
