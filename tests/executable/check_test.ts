// --check where there is no Deno: by TypeScript, or not at all, which is said.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { executable, needsExecutable } from "../support/executable.ts";
import { mpSandbox } from "../support/mp.ts";
import { needsSystem, testWith } from "../support/needs.ts";

const SCRIPT = `import * as mp from "@metaparticle/mp";
mp.service("home", () => Deno.env.get("HOME") ?? null);
export const wrong: string = 1;
`;

testWith(
  [needsExecutable(), needsSystem("linux", "darwin")],
  "the executable checks types by TypeScript, and says so where there is none",
  async () => {
    await using sandbox = await mpSandbox([executable()]);
    await sandbox.write("home.ts", SCRIPT);
    const env = { PATH: "" };
    const unchecked = await sandbox.run(["plan", "home.ts", "--check"], { env });
    assertEquals(unchecked.code, 0, unchecked.stderr);
    assertStringIncludes(unchecked.stderr, "The types are not checked: there is neither deno nor");

    // what npm install typescript would put there, run by Deno for want of Node
    const tsc = await sandbox.write(
      "node_modules/.bin/tsc",
      `#!/bin/sh\nexec '${Deno.execPath()}' run --quiet -A --no-config npm:typescript@5.9.3/tsc "$@"\n`,
    );
    await Deno.chmod(tsc, 0o755);
    const inherited = { HOME: Deno.env.get("HOME") ?? "", PATH: "" };
    const wrong = await sandbox.run(["plan", "home.ts", "--check"], { env: inherited });
    assertEquals([wrong.code, wrong.stdout], [1, ""], wrong.stderr);
    assertStringIncludes(wrong.stderr, 'Cannot accept "home.ts": its types are wrong');
    assertStringIncludes(wrong.stderr, "Type 'number' is not assignable to type 'string'");
    await Deno.writeTextFile(
      join(sandbox.folder, "home.ts"),
      SCRIPT.replace("wrong: string", "right: number"),
    );
    const right = await sandbox.run(["plan", "home.ts", "--check"], { env: inherited });
    assertEquals([right.code, right.stderr], [0, ""]);
  },
);
