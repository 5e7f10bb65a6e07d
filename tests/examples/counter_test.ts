import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { deploy } from "./deployed.ts";

Deno.test("examples/counter.ts counts each request once, and goes on when it is run again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const env = { MP_STORAGE: `file:${join(folder, "data.db")}` };
  try {
    {
      await using counter = await deploy("examples/counter.ts", { env });
      const count = async () => (await counter.call("counter") as { requests: number }).requests;
      const counts = await Promise.all(Array.from({ length: 40 }, count));
      assertEquals(counts.sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i + 1));

      const again = () => counter.client("counter", "--idempotency-key", "7");
      const [first, second] = [await again(), await again()];
      assertEquals([(first as { requests: number }).requests, second], [41, first]);
    }
    await using counter = await deploy("examples/counter.ts", { env });
    assertEquals((await counter.call("counter") as { requests: number }).requests, 42);
    const { stdout } = await counter.sandbox.run(["scope", "get", "global", "--app", "counter"]);
    assertEquals(JSON.parse(stdout), { requests: 42 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
