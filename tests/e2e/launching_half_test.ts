import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { mpSandbox } from "../support/mp.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const SOURCE = [Deno.execPath(), "run", "-A", "--unstable-net", join(ROOT, "mp.ts")];

const SCRIPT = `import * as mp from "@metaparticle/mp";
mp.service("hello", (name: string) => "hello, " + name, { expose: true });
mp.serve();
`;

Deno.test("the second run from source makes what later ones start with", async () => {
  await using sandbox = await mpSandbox(SOURCE);
  const script = await sandbox.write("hello.ts", SCRIPT);
  const wrong = await sandbox.write("wrong.ts", `${SCRIPT}throw new Error("wrong");\n`);
  const cache = join(sandbox.folder, "cache", "mp", "launching-half");
  const runOnce = async () => {
    const run = sandbox.start(["run", script, "--port", "0"]);
    await run.line("listening on");
    const called = await sandbox.run(["client", "hello", '"Ada"', "--app", "hello"]);
    assertEquals(called.stdout, `"hello, Ada"\n`, called.stderr);
    run.kill("SIGTERM");
    assertEquals((await run.ended).code, 0);
  };
  const made = () =>
    Array.from(Deno.readDirSync(cache), ({ name }) => join(cache, name)).map(
      (folder) => join(folder, "main.js"),
    );
  const fromSource = await sandbox.run(["plan", wrong]);
  await runOnce();
  assertEquals(made().length, 1);
  await runOnce();
  // what is wrong with a script is told in the same words
  const fromHalf = await sandbox.run(["plan", wrong]);
  assertEquals([fromHalf.code, fromHalf.stderr], [fromSource.code, fromSource.stderr]);
  assertStringIncludes(fromHalf.stderr, "wrong.ts:4:7");
  assertEquals(made().length, 1);
  // and it is what runs
  const [path] = made();
  const text = await Deno.readTextFile(path!);
  await Deno.writeTextFile(path!, `${text}\nDeno.exit(42);\n`);
  const manifest = join(path!, "..", "files.json");
  const files = JSON.parse(await Deno.readTextFile(manifest));
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path!));
  files["main.js"] = new Uint8Array(digest).toHex();
  await Deno.writeTextFile(manifest, JSON.stringify(files));
  assertEquals((await sandbox.run(["version"])).code, 42);
  // a damaged one is not run
  await Deno.writeTextFile(path!, text.slice(1));
  assertEquals((await sandbox.run(["version"])).code, 0);
});
