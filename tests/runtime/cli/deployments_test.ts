import { assertEquals, assertRejects } from "@std/assert";
import type { Program } from "../../../runtime/cli/command.ts";
import { discoverDeployments } from "../../../runtime/cli/deployments.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Driver, Filter } from "../../../runtime/launch/driver.ts";

/** A program with one platform, which answers nothing. */
const program = {
  drivers: {
    stuck: () =>
      Promise.resolve({
        async *discover({ signal }: Filter) {
          await new Promise((_, reject) =>
            signal!.addEventListener("abort", () => reject(signal!.reason))
          );
          yield* [];
        },
      } as unknown as Driver),
  },
} as unknown as Program;

Deno.test("discoverDeployments() finds nothing where a platform does not answer, or says so before a launch", async () => {
  const said: string[] = [];
  const output = { say: (_: string, text: string) => said.push(text) };
  assertEquals(await discoverDeployments(program, undefined, { patience: 20, output }), []);
  assertEquals(said, [
    "What runs there is not known: stuck has not answered for 0.02 s (see mp doctor)",
  ]);
  const error = await assertRejects(
    () => discoverDeployments(program, { driver: "stuck", settings: {} }, { patience: 20 }),
    MpError,
  );
  assertEquals([error.code, error.message], [
    "deadline_exceeded",
    "Cannot find out what runs there: stuck has not answered for 0.02 s",
  ]);
});
