import { assertEquals } from "@std/assert";
import { deploy } from "./deployed.ts";

Deno.test("examples/hello.ts greets who is named, or the world", async () => {
  await using hello = await deploy("examples/hello.ts");
  assertEquals(await hello.client("hello", '"Ada"'), "hello, Ada");
  assertEquals(await hello.client("hello"), "hello, world");
  assertEquals(await hello.call("hello", "Éva"), "hello, Éva");
});
