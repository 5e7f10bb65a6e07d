// A topology script that is itself the program, as the original's were.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { mpSandbox } from "../support/mp.ts";
import { ask } from "./callers.ts";

const replicated = fromFileUrl(new URL("../../examples/replicated.ts", import.meta.url));

Deno.test("deno run of a script runs it until Ctrl-C, or until it is deleted in the same way", async () => {
  await using sandbox = await mpSandbox([Deno.execPath(), "run", "-A", replicated]);
  for (const end of ["Ctrl-C", "delete"]) {
    const program = sandbox.start(["--port", "0", "--driver=process"]);
    const url = /http:\S+\d/.exec(await program.line("listening on"))![0];
    assertEquals((await ask(url, "replicated", "Ada")).result.request, "Ada");
    if (end === "Ctrl-C") program.kill("SIGINT");
    else assertEquals((await sandbox.run(["delete"])).code, 0);
    const { code, stderr } = await program.ended;
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, 'Stopped "replicated"');
    assertEquals(await sandbox.processes(), []);
  }
  const again = await sandbox.run(["delete"]);
  assertEquals(again.code, 1);
  assertStringIncludes(again.stderr, "it is not running");
});
