import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { bundleOnce } from "./run_bundle.ts";
import { scriptFolder } from "./script_folder.ts";

async function failureOf(files: Record<string, string>, script = "a.ts"): Promise<MpError> {
  await using folder = await scriptFolder(files);
  const error = await assertRejects(() => bundleOnce(folder.file(script)), MpError);
  // where the folder lies says nothing
  const strip = (text?: string) =>
    text?.replaceAll(`${folder.path}/`, "").replaceAll(folder.path, ".");
  const { code, message, where, next } = error;
  return new MpError(code, strip(message)!, { where: strip(where), next: strip(next) });
}

Deno.test("bundleScript() shows a syntax error with its place and line", async () => {
  const error = await failureOf({ "a.ts": `const a = 1;\n\tconst é = "日本" + ;\n` });
  assertEquals(error.code, "script_invalid");
  assertEquals(error.where, "a.ts:2:19");
  assertEquals(
    error.message,
    `Cannot read "a.ts": unexpected ";"\n  2 | \tconst é = "日本" + ;\n    | \t                 ^`,
  );
  assertEquals(error.next, "Correct the syntax");
});

Deno.test("bundleScript() names the imported file that has the syntax error", async () => {
  const error = await failureOf({ "a.ts": `import "./lib/b.ts";`, "lib/b.ts": "\nlet let = 1" });
  assertEquals(error.where, "lib/b.ts:2:5");
  assertStringIncludes(error.message, `Cannot read "lib/b.ts": `);
});

Deno.test("bundleScript() names imports that cannot be resolved, and what to do", async () => {
  const cases: Record<string, [message: string, next: string]> = {
    "./b.ts": ["there is no such file", "Correct the path, or create the file"],
    "../metaparticle": [
      "there is no such file",
      `Write "metaparticle" for it, which needs no file`,
    ],
    "chalk/x.js": [
      "it is in no node_modules folder near the script and in no import map",
      "Run npm install chalk in the script's folder",
    ],
    "npm:chalk@^5": [
      "it is in no node_modules folder near the script",
      `Run npm install "chalk@^5" in the script's folder`,
    ],
    "npm:old@2": [
      "node_modules has version 1.0.0",
      "Run npm install old@2 in the script's folder",
    ],
    "jsr:@std/fs@1": [
      "it is in no node_modules folder near the script",
      "Run npx jsr add @std/fs@1 in the script's folder",
    ],
    "https://deno.land/x/a.ts": [
      "modules are not downloaded",
      "Save the file beside the script, or npm install the package, and import that",
    ],
    "node:nothing": ["Node has no such built-in module", "Correct the name"],
    "odd:nothing": [`"odd:" is not known`, "Correct the specifier"],
    "npm:": ["it names no package", "Correct the name"],
    "mapped": [
      `the import map leads to "./gone.ts", which is not there`,
      "Correct the import map, or install the package",
    ],
    "@metaparticle/mp/testing": [
      "a script can import only @metaparticle/mp itself",
      "Import it from a test file, not from a script",
    ],
    "@metaparticle/mp/runtime/hash.ts": [
      "a script can import only @metaparticle/mp itself",
      "Import what you need from @metaparticle/mp",
    ],
  };
  const files = {
    "node_modules/old/package.json": `{ "name": "old", "version": "1.0.0" }`,
    "node_modules/old/index.js": "",
    "deno.json": `{ "imports": { "mapped": "./gone.ts" } }`,
  };
  for (const [specifier, [why, next]] of Object.entries(cases)) {
    const error = await failureOf({ ...files, "a.ts": `\nimport "${specifier}";` });
    assertEquals(error.code, "import_unresolved", specifier);
    assertEquals(
      error.message.split("\n")[0]!.replace(/"[^"]*gone/, `"./gone`),
      `Cannot resolve "${specifier}": ${why}`,
    );
    assertEquals(error.where, "a.ts:2:8", specifier);
    assertEquals(error.next, next, specifier);
  }
});

Deno.test("bundleScript() tells all errors of a run, the first first", async () => {
  const error = await failureOf({
    "a.ts": `import "./b.ts";\nimport "chalk";\nimport { c } from "./c.ts";\nconsole.log(c);`,
    "c.ts": "export const d = 1;",
  });
  assertEquals(error.where, "a.ts:1:8");
  assertEquals(error.message.split("\n").filter((line) => line.includes(": ")), [
    `Cannot resolve "./b.ts": there is no such file`,
    `a.ts:2:8: Cannot resolve "chalk": it is in no node_modules folder near the script and in no import map`,
  ]);
});

Deno.test("bundleScript() names an export that is not there", async () => {
  const error = await failureOf({
    "a.ts": `import { c } from "./c.ts";\nconsole.log(c);`,
    "c.ts": "export const d = 1;",
  });
  assertEquals(error.code, "import_unresolved");
  assertStringIncludes(error.message, `Cannot import "c": "c.ts" does not export it`);
  assertEquals(error.where, "a.ts:1:10");
});

Deno.test("bundleScript() refuses what cannot be part of a script", async () => {
  const wasm = await failureOf({ "a.ts": `import x from "./b.wasm"; x;`, "b.wasm": "" });
  assertStringIncludes(wasm.message, `.wasm files cannot be part of a script`);
  const jsx = await failureOf({ "a.ts": `import "./b.tsx";`, "b.tsx": "" });
  assertStringIncludes(jsx.message, `Cannot import "b.tsx": scripts have no JSX`);
  assertEquals(jsx.where, "a.ts:1:8");
  const inJs = await failureOf({ "a.js": "export const a = <b/>;" }, "a.js");
  assertEquals(inJs.next, "Write scripts without JSX");
  const sloppy = await failureOf({ "a.js": "with (Math) floor(1);" }, "a.js");
  assertStringIncludes(
    sloppy.message,
    "with statements cannot be used: scripts are in strict mode",
  );
});

Deno.test("bundleScript() says what is wrong with a path that is no script", async () => {
  const missing = await failureOf({}, "nothing.ts");
  assertEquals(missing.code, "script_not_found");
  assertEquals(missing.message, `Cannot find script "nothing.ts": there is no such file`);
  assertEquals(missing.next, `Check the path; the working folder is ${Deno.cwd()}`);
  const below = await failureOf({ "a.ts": "" }, "a.ts/b.ts");
  assertEquals(below.code, "script_not_found");
  const folder = await failureOf({ "shop/topology.ts": "" }, "shop");
  assertEquals(folder.message, `Cannot read script "shop": it is a folder`);
  assertEquals(folder.next, `Name the script itself, ${join("shop", "topology.ts")}`);
  const python = await failureOf({ "a.py": "" }, "a.py");
  assertEquals(python.code, "script_invalid");
  assertEquals(python.next, "Name a file that ends with .ts, .js, .mts, .mjs, .cts, .cjs");
});

Deno.test({
  name: "bundleScript() says that a script cannot be read",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  async fn() {
    await using folder = await scriptFolder({ "a.ts": "" });
    await Deno.chmod(folder.file("a.ts"), 0o000);
    const error = await assertRejects(() => bundleOnce(folder.file("a.ts")), MpError);
    assertEquals(error.code, "script_not_found");
    assertEquals(error.next, "Make the file readable");
  },
});

Deno.test("bundleScript() shows no control characters of a broken file", async () => {
  const error = await failureOf({ "a.ts": "\x1b[31m\x00oops" });
  assertEquals(/(?!\n)\p{Cc}/u.test(error.message), false);
});

Deno.test("bundleScript() says which configuration it cannot read", async () => {
  const broken = await failureOf({ "a.ts": "", "deno.json": "{ oops" });
  assertEquals(broken.code, "script_invalid");
  assertEquals(broken.where, "deno.json");
  const remote = await failureOf({ "a.ts": "", "deno.json": `{ "importMap": "https://x/y" }` });
  assertStringIncludes(remote.message, "it is not a local file");
  const missing = await failureOf({ "a.ts": "", "deno.json": `{ "importMap": "maps/x.json" }` });
  assertEquals(missing.where, "maps/x.json");
  const wrong = await failureOf({ "a.ts": "", "deno.json": `{ "imports": { "a": 1 } }` });
  assertEquals(wrong.message, `Cannot read the import map: "a" is mapped to no string`);
});
