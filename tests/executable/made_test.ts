// What the executable is: its size, its versions, and what it must not hold.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { dirname, fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { executable, needsExecutable } from "../support/executable.ts";
import { mpSandbox } from "../support/mp.ts";
import { type Need, testWith } from "../support/needs.ts";

const NEEDS = needsExecutable();
const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const MOST_BYTES = 150e6;

testWith(NEEDS, "the executable is small enough, and has its checksum beside it", async () => {
  const bytes = await Deno.readFile(executable());
  assert(bytes.length <= MOST_BYTES, `${bytes.length} bytes`);
  const checksum = await Deno.readTextFile(`${executable()}.sha256`);
  assertEquals(checksum.split(" ")[0], createHash("sha256").update(bytes).digest("hex"));
});

testWith(NEEDS, "the executable holds no path of the machine that made it", async () => {
  const bytes = await Deno.readFile(executable());
  // a byte a character, so that any text in it is found
  const text = new TextDecoder("latin1").decode(bytes);
  for (const path of [ROOT, dirname(ROOT), join(Deno.env.get("HOME") ?? "/nowhere", ".cache")]) {
    if (path.length > 5) assertEquals(text.indexOf(path), -1, path);
  }
});

testWith(NEEDS, "mp version names mp, the runtime, V8, esbuild and the build", async () => {
  await using sandbox = await mpSandbox([executable()]);
  const versions = JSON.parse((await sandbox.run(["version", "--json"])).stdout);
  assertEquals(versions.mp, config.version);
  assertEquals(`npm:esbuild@${versions.esbuild}`, config.imports.esbuild);
  assertEquals(versions.target, Deno.build.target);
  assertMatch(versions.build, /^[0-9a-f]{64}$/);
  const { stdout } = await sandbox.run(["version"]);
  assertEquals(stdout.split("\n"), [
    `mp ${versions.mp}`,
    `deno ${versions.deno} (${versions.target})`,
    `v8 ${versions.v8}`,
    `esbuild ${versions.esbuild}`,
    `build ${versions.build}`,
    "",
  ]);
});

testWith(NEEDS, "a program that the executable runs gets its own arguments only", async () => {
  await using sandbox = await mpSandbox([executable()]);
  const script = await sandbox.write(
    "program.ts",
    "console.log(JSON.stringify([Deno.args, process.argv.slice(1)]));",
  );
  const { stdout, stderr } = await sandbox.run(["run", script, "--", "a", "--inspect=b"]);
  assertEquals(
    stdout,
    `${JSON.stringify([["a", "--inspect=b"], [script, "a", "--inspect=b"]])}\n`,
    stderr,
  );
});

/** The inspector's port, which is always the same. */
function needsInspectorPort(): Need {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: 9229 }).close();
    return {};
  } catch (error) {
    return { absent: `port 9229: ${error}`, elsewhere: true };
  }
}

testWith(
  [NEEDS, needsInspectorPort()],
  "mp run --inspect opens the inspector in the executable",
  async () => {
    await using sandbox = await mpSandbox([executable()]);
    const script = await sandbox.write(
      "hello.ts",
      `import * as mp from "@metaparticle/mp";
import inspector from "node:inspector";
mp.service("where", () => inspector.url() ?? null, { expose: true });
`,
    );
    const run = sandbox.start(["run", script, "--port", "0", "--inspect", "where"]);
    await run.line("listening on");
    const { stdout } = await sandbox.run(["client", "where"]);
    assertMatch(JSON.parse(stdout), /^ws:\/\/127\.0\.0\.1:9229\//);
    run.kill("SIGINT");
    assertEquals((await run.ended).code, 0);
  },
);
