import { assertEquals, assertGreater } from "@std/assert";
import { deploy } from "./deployed.ts";

interface Answer {
  user: string;
  visits: number;
  replica: string;
}

Deno.test("examples/sharded.ts counts each user's visits on one replica", async () => {
  await using sharded = await deploy("examples/sharded.ts");
  const visit = async (user: string) => await sharded.call("visits", { user }) as Answer;
  const replicaOf = new Map<string, string>();
  for (const user of ["ada", "grace", "edsger", "barbara", "leslie", "ada lovelace", "éva", ""]) {
    replicaOf.set(user, (await visit(user)).replica);
  }
  for (let visits = 2; visits < 5; visits++) {
    for (const [user, replica] of replicaOf) {
      assertEquals(await visit(user), { user, visits, replica });
    }
  }
  assertGreater(new Set(replicaOf.values()).size, 1);
  assertEquals(await sharded.client("visits", '{"user":"ada"}'), {
    user: "ada",
    visits: 5,
    replica: replicaOf.get("ada"),
  });
});

Deno.test("examples/sharded.ts refuses a request without a user", async () => {
  await using sharded = await deploy("examples/sharded.ts");
  for (const params of [[], [{}], [{ user: null }], [{ user: {} }]]) {
    const { error } = await sharded.reply("visits", ...params);
    assertEquals(error?.data?.code, "invalid_shard_key");
  }
});
