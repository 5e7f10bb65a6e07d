import { assertEquals } from "@std/assert";
import { deploy } from "./deployed.ts";

Deno.test("examples/replicated.ts answers from three replicas in turn", async () => {
  await using replicated = await deploy("examples/replicated.ts");
  const request = { hello: "world" };
  const answers = [await replicated.client("replicated", JSON.stringify(request))];
  for (let i = 0; i < 5; i++) answers.push(await replicated.call("replicated", request));
  const names = answers.map((answer) => (answer as { replica: string }).replica);
  assertEquals(answers, names.map((replica) => ({ request, replica })));
  assertEquals([...new Set(names)].sort(), [0, 1, 2].map((i) => `replicated.compute.${i}`));
  assertEquals(names.slice(3), names.slice(0, 3));
});
