import { assertEquals, assertGreater } from "@std/assert";
import { merge } from "../../examples/nested.ts";
import { deploy } from "./deployed.ts";

interface Answer {
  user: string;
  words: number;
  leaves: number[];
  found: string[];
}

const WORDS = "engine number loom card wheel note pattern music relation operation".split(" ");

Deno.test("merge() adds up the leaves of a shard", () => {
  const parts = [{ words: 2, found: ["b"] }, { words: 0, found: [] }, { words: 1, found: ["a"] }];
  assertEquals(merge(parts, { user: "ada" }), {
    user: "ada",
    words: 3,
    leaves: [2, 0, 1],
    found: ["a", "b"],
  });
});

Deno.test("examples/nested.ts keeps a user's words on the three leaves of one shard", async () => {
  await using nested = await deploy("examples/nested.ts");
  const ask = async (request: unknown) => await nested.call("words", request) as Answer;

  const added = await ask({ user: "ada", add: WORDS });
  assertEquals(added.words, WORDS.length);
  assertEquals(added.leaves.length, 3);
  assertEquals(added.leaves.reduce((sum, words) => sum + words), WORDS.length);
  assertGreater(added.leaves.filter((words) => words > 0).length, 1);

  // each word is on one leaf only, and stays there
  assertEquals(await ask({ user: "ada", add: WORDS }), added);
  assertEquals(await ask({ user: "ada", find: "no" }), { ...added, found: ["note"] });
  assertEquals((await ask({ user: "ada", find: "" })).found, WORDS.toSorted());

  // other users' words are their own, on whatever shard
  for (const user of ["grace", "edsger", "barbara", "leslie", "eva"]) {
    assertEquals(await ask({ user }), { user, words: 0, leaves: [0, 0, 0], found: [] });
  }
  assertEquals(
    await nested.client("words", '{"user":"ada"}'),
    { ...added, found: [] },
  );
});
