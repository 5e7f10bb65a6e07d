// mp init and mp types: what they write is understood by Deno, and by TypeScript where there is no Deno.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { denoDir } from "../support/deno_dir.ts";
import { mpProgram, mpSandbox, type Sandbox } from "../support/mp.ts";

async function project(): Promise<Sandbox> {
  const sandbox = await mpSandbox();
  const { code, stdout, stderr } = await sandbox.run(["init", "shop"]);
  assertEquals(code, 0, stderr);
  assertEquals(stdout.trim().split("\n").map((line) => line.replaceAll("\\", "/")), [
    "Wrote shop/topology.ts",
    "Wrote shop/topology_test.ts",
    "Wrote shop/deno.json",
    "Wrote shop/tsconfig.json",
    "Wrote shop/.gitignore",
    "Wrote shop/.mp/types/mp.d.ts",
    "Wrote shop/.mp/types/deno.d.ts",
    "Wrote shop/.mp/package",
  ]);
  assertStringIncludes(stderr, "mp run shop/topology.ts");
  return sandbox;
}

/** Runs Deno in the project, as its owner would. */
async function deno(sandbox: Sandbox, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: join(sandbox.folder, "shop"),
    env: {
      NO_COLOR: "1",
      DENO_DIR: await denoDir(),
      XDG_CACHE_HOME: join(sandbox.folder, "cache"),
      // nothing can be downloaded
      HTTPS_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "",
    },
  }).output();
  const decoder = new TextDecoder();
  const said = `${decoder.decode(stdout)}\n${decoder.decode(stderr)}`;
  assertEquals(code, 0, said);
  return said;
}

Deno.test("mp init makes a project that runs, and that Deno tests, checks, lints and keeps formatted", async () => {
  await using sandbox = await project();
  const run = await sandbox.run(["run", "shop/topology.ts", "-d", "--wait", "--port", "0"]);
  assertEquals(run.code, 0, run.stderr);
  assertEquals((await sandbox.run(["client", "sum", "100"])).stdout, "5050\n");
  const ps = JSON.parse((await sandbox.run(["ps", "--json"])).stdout);
  assertEquals(ps[0].handle.app, "shop");
  assertEquals((await sandbox.run(["delete", "shop"])).code, 0);

  const own = await sandbox.run(["test"], { cwd: join(sandbox.folder, "shop") });
  assertEquals(own.code, 0, own.stderr);
  assertStringIncludes(`${own.stdout}${own.stderr}`, "2 passed | 0 failed");
  assertStringIncludes(await deno(sandbox, ["test", "-A"]), "2 passed | 0 failed");
  await deno(sandbox, ["check"]);
  await deno(sandbox, ["lint"]);
  await deno(sandbox, ["fmt", "--check"]);
  // deno run makes the script its own command line
  assertStringIncludes(await deno(sandbox, ["run", "-A", "topology.ts", "plan"]), "sum.scatter");

  const again = await sandbox.run(["init", "shop"]);
  assertEquals(again.code, 2);
  assertStringIncludes(again.stderr, 'Cannot start a project in "shop": there is topology.ts');
  assertStringIncludes(again.stderr, "→ Name an empty folder");

  await understoodByTypeScript(sandbox);

  // what lies in .mp can be made again; from source that is the same work once more
  if (mpProgram().length > 1) return;
  await Deno.remove(join(sandbox.folder, "shop", ".mp"), { recursive: true });
  const types = await sandbox.run(["types", "shop", "--json"]);
  assertEquals(JSON.parse(types.stdout).files, [
    ".mp/types/mp.d.ts",
    ".mp/types/deno.d.ts",
    ".mp/package/",
  ]);
  assertStringIncludes(await deno(sandbox, ["test", "-A"]), "2 passed | 0 failed");
});

/** Where no Deno is, editors and compilers have the tsconfig.json. */
async function understoodByTypeScript(sandbox: Sandbox): Promise<void> {
  const tsc = ["run", "-A", "--no-config", "npm:typescript@5.9.3/tsc", "--project", "."];
  const check = () =>
    new Deno.Command(Deno.execPath(), {
      args: tsc,
      cwd: join(sandbox.folder, "shop"),
      env: { NO_COLOR: "1" },
    }).output();
  const right = await check();
  assertEquals(new TextDecoder().decode(right.stdout), "");
  assertEquals(right.code, 0, new TextDecoder().decode(right.stderr));
  const script = join(sandbox.folder, "shop", "topology.ts");
  const text = await Deno.readTextFile(script);
  await Deno.writeTextFile(script, text.replace("replicas: 4", 'replicas: "4"'));
  const wrong = await check();
  assertStringIncludes(
    new TextDecoder().decode(wrong.stdout),
    "Type 'string' is not assignable to type 'number'",
  );
  await Deno.writeTextFile(script, text);
}
