import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { mpSandbox } from "../support/mp.ts";

const examples = fromFileUrl(new URL("../../examples/", import.meta.url));

/** Runs the task that README.md tells of, from a folder that is not the project's root. */
async function task(args: readonly string[]) {
  await using sandbox = await mpSandbox([Deno.execPath(), "task", "--quiet", "mp"]);
  return await sandbox.run(args, { cwd: examples });
}

Deno.test("deno task mp finds scripts from the folder that it is run in", async () => {
  const { code, stdout, stderr } = await task(["plan", "histogram.ts"]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "scatter");
});

Deno.test("deno task mp hands words and the exit status on as they are", async () => {
  const { code, stderr } = await task(["plan", "no such 'script'.ts"]);
  assertStringIncludes(stderr, "no such 'script'.ts");
  assertEquals(code, 1);
  assertEquals((await task(["--nonsense"])).code, 2);
});
