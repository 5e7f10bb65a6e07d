// Containers that run the executable.
import { assertEquals } from "@std/assert";
import { executable, needsExecutable } from "../support/executable.ts";
import { testEngine } from "../support/engine.ts";
import { testWith } from "../support/needs.ts";
import { containersOf, mp, needs, script, withEngine } from "../drivers/docker/with_engine.ts";

testWith(
  [needsExecutable(), needs],
  "mp run makes the image of the executable that --linux-binary or MP_LINUX_BINARY names",
  async () => {
    await withEngine("docker-binary", async (sandbox) => {
      const body = `mp.service("runs", () => Deno.execPath(), { expose: true });`;
      const file = await sandbox.write("docker-binary.ts", script(body));
      const run = ["run", file, "--driver", "docker", "--port", "0", "-d", "--wait"];
      const image = async () => {
        assertEquals(await mp(sandbox, "client", "runs"), '"/mp/mp"\n');
        const [only] = await containersOf("docker-binary");
        return (await testEngine().json("GET", `/containers/${only!.Id}/json`)).Config.Image;
      };
      await mp(sandbox, ...run, "--linux-binary", executable());
      const tag = await image();
      await mp(sandbox, "delete", "docker-binary");
      const env = { MP_LINUX_BINARY: executable() };
      const { code, stderr } = await sandbox.run(run, { env });
      assertEquals([code, stderr.includes("Building")], [0, false], stderr);
      assertEquals(await image(), tag);
    });
  },
);
