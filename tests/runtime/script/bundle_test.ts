import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { bundleScript, stopBundler } from "../../../runtime/script/bundle.ts";
import { bundleOnce, environmentOf, runBundle } from "./run_bundle.ts";
import { scriptFolder } from "./script_folder.ts";

Deno.test("bundleScript() makes a module without imports that hands over the script's exports", async () => {
  await using folder = await scriptFolder({
    "a.ts": `
      import { double } from "./lib/double.ts";
      import data from "./data.json" with { type: "json" };
      import text from "./note.txt" with { type: "text" };
      import { join } from "node:path";
      import fs from "fs/promises";
      interface Unused { a: number }
      const waited: number = await Promise.resolve(20);
      export const answer = double(waited) + data.two;
      export const seen = { text, path: join("a", "b"), read: typeof fs.readFile };
    `,
    "lib/double.ts": "export const double = (n: number) => n * 2;",
    "data.json": `{ "two": 2 }`,
    "note.txt": "hello",
  });
  const { bundle, exports } = await runBundle(folder.file("a.ts"));
  assertEquals(exports.answer, 42);
  assertEquals(exports.seen, { text: "hello", path: "a/b", read: "function" });
  assertEquals(/^\s*import\b|^\s*export \{/m.test(bundle.code), false);
  assertEquals(
    new Set(bundle.inputs),
    new Set(["a.ts", "lib/double.ts", "data.json", "note.txt"].map(folder.file)),
  );
});

Deno.test("bundleScript() takes CommonJS, with require, its main module and computed names", async () => {
  await using folder = await scriptFolder({
    "a.js": `#!/usr/bin/env node
      const part = require("./part");
      const name = ["o", "s"].join("");
      exports.host = require(name).hostname() === require("node:os").hostname();
      exports.part = part.name;
      exports.isThis = this === exports;
      exports.main = require.main === module;
      exports.dirname = __dirname;
      try { require("not-there") } catch (error) { exports.optional = true }
    `,
    "part.js": `module.exports = { name: require.main === module ? "main" : __filename };`,
  });
  const { exports } = await runBundle(folder.file("a.js"));
  assertEquals(exports.default, {
    host: true,
    part: folder.file("part.js"),
    isThis: true,
    main: true,
    dirname: folder.path,
    optional: true,
  });
});

Deno.test("bundleScript() gives every file an import.meta of its own", async () => {
  await using folder = await scriptFolder({
    "my scripts/a.ts": `
      import { there } from "../lib#1/there.ts";
      export const here = [import.meta.url, import.meta.filename, import.meta.main];
      export { there };
    `,
    "lib#1/there.ts": `
      // import.meta in a comment stays
      export const there = [import.meta.dirname, import.meta.main, import.meta.resolve("./x.txt"), "import.meta.url"];
    `,
  });
  const { exports } = await runBundle(folder.file("my scripts/a.ts"));
  const url = `file://${folder.path}`;
  assertEquals(exports.here, [`${url}/my%20scripts/a.ts`, folder.file("my scripts/a.ts"), true]);
  assertEquals(exports.there, [
    folder.file("lib#1"),
    false,
    `${url}/lib%231/x.txt`,
    "import.meta.url",
  ]);
});

Deno.test("bundleScript() lets a script see the globals of its environment, and name its own like them", async () => {
  await using folder = await scriptFolder({
    "a.ts": `
      import { other } from "./other.ts";
      const Date = "mine";
      export const seen = [Date, other(), Math.random(), globalThis.marker, typeof Buffer];
    `,
    "other.ts": "export const other = () => new Date().getTime();",
  });
  const globals = {
    Date: class {
      getTime = () => 7;
    },
    Math: { random: () => 0.5 },
    globalThis: { marker: "instance" },
  };
  const { exports } = await runBundle(folder.file("a.ts"), { globals });
  assertEquals(exports.seen, ["mine", 7, 0.5, "instance", "undefined"]);
});

Deno.test("bundleScript() gives modules that keep a state of their own at every evaluation", async () => {
  await using folder = await scriptFolder({
    "a.ts": `let n = 0; export const next = () => ++n;`,
  });
  const { form, exports, bundle } = await runBundle(folder.file("a.ts"));
  const first = exports.next as () => number;
  const second = (await form(environmentOf(bundle.script))).next as () => number;
  assertEquals([first(), first(), second()], [1, 2, 1]);
});

Deno.test("bundleScript() resolves every name of the API to the environment's", async () => {
  const names = [
    "@metaparticle/mp",
    "mp",
    "metaparticle",
    "@metaparticle/storage",
    "jsr:@metaparticle/mp",
    "jsr:@metaparticle/mp@^1.2.0",
    "npm:@metaparticle/mp",
    "npm:metaparticle@0.0.1",
  ];
  await using folder = await scriptFolder({
    "a.ts": names.map((name, i) => `import * as n${i} from "${name}";`).join("\n") +
      `\nexport const all = [${names.map((_, i) => `n${i}.isApi`)}];`,
    "b.js":
      `const mp = require("metaparticle"); exports.same = mp === require("@metaparticle/storage");`,
    // the API's names win over an import map
    "deno.json": `{ "imports": { "mp": "npm:mp@1", "@metaparticle/mp": "./nothing.ts" } }`,
  });
  const { exports, bundle } = await runBundle(folder.file("a.ts"));
  assertEquals(exports.all, names.map(() => true));
  assertEquals(bundle.mayServe, false);
  const cjs = await runBundle(folder.file("b.js"));
  assertEquals((cjs.exports.default as { same: boolean }).same, true);
});

Deno.test("bundleScript() takes the original's main file, and this project's, for the API", async () => {
  await using folder = await scriptFolder({
    "package.json": `{ "name": "metaparticle", "main": "metaparticle.js" }`,
    "metaparticle.js": `throw new Error("the original's own code");`,
    "examples/a.js": `
      exports.api = [require("../metaparticle"), require("..")].every((mp) => mp.isApi);
      exports.part = require("./metaparticle-words");
    `,
    "examples/metaparticle-words.js": `module.exports = "not the API";`,
    "storage/package.json": `{ "name": "@metaparticle/storage", "main": "metaparticle-storage" }`,
    "storage/metaparticle-storage.js": "",
    "storage/examples/a.js": `exports.api = require("../metaparticle-storage.js").isApi;`,
  });
  const { exports } = await runBundle(folder.file("examples/a.js"));
  assertEquals(exports.default, { api: true, part: "not the API" });
  const storage = await runBundle(folder.file("storage/examples/a.js"));
  assertEquals(storage.exports.default, { api: true });
  const mod = fromFileUrl(new URL("../../../mod.ts", import.meta.url));
  await folder.write({
    "own.ts": `import * as mp from ${JSON.stringify(mod)}; export const { isApi } = mp;`,
  });
  assertEquals((await runBundle(folder.file("own.ts"))).exports.isApi, true);
});

Deno.test("bundleScript() resolves packages from the nearest node_modules and import map", async () => {
  await using folder = await scriptFolder({
    "node_modules/tool/package.json":
      `{ "name": "tool", "version": "2.1.0", "sideEffects": false, "exports": { ".": "./main.js", "./part": "./part.js" } }`,
    "node_modules/tool/main.js": `require("./effect"); exports.name = "tool";`,
    "node_modules/tool/effect.js": `globalThis.effects = (globalThis.effects ?? 0) + 1;`,
    "node_modules/tool/part.js": `exports.name = "part";`,
    "node_modules/@jsr/std__text/package.json":
      `{ "name": "@jsr/std__text", "version": "1.0.0", "main": "m.js", "type": "module" }`,
    "node_modules/@jsr/std__text/m.js": `export const name = "jsr";`,
    "deno.jsonc": `{
      // as Deno reads it
      "imports": { "alias": "npm:tool@^2.0.0", "lib/": "./src/", "os-of-node": "node:os" },
      "scopes": { "./sub/": { "alias": "./src/scoped.ts" } },
    }`,
    "src/a.ts": `export const name = "lib";`,
    "src/scoped.ts": `export const name = "scoped";`,
    "sub/a.ts": `export { name as scoped } from "alias";`,
    "a.ts": `
      import { name as bare } from "tool";
      import { name as npm } from "npm:tool@2/part";
      import { name as jsr } from "jsr:@std/text@^1.0.0";
      import { name as alias } from "alias";
      import { name as inside } from "alias/part";
      import { name as lib } from "lib/a.ts";
      import { hostname } from "os-of-node";
      import { scoped } from "./sub/a.ts";
      export const all = [bare, npm, jsr, alias, inside, lib, scoped, typeof hostname].join();
    `,
  });
  const { exports, bundle } = await runBundle(folder.file("a.ts"));
  assertEquals(exports.all, "tool,part,jsr,tool,part,lib,scoped,function");
  assertEquals((globalThis as { effects?: number }).effects, 1);
  assert(bundle.inputs.includes(folder.file("deno.jsonc")));
});

Deno.test("bundleScript() reads an import map that deno.json names, and the root of a workspace", async () => {
  await using folder = await scriptFolder({
    "deno.json":
      `{ "workspace": ["./member"], "imports": { "root": "./root.ts", "both": "./root.ts" } }`,
    "root.ts": `export const name = "root";`,
    "member/deno.json": `{ "importMap": "maps/map.json" }`,
    "member/maps/map.json": `{ "imports": { "both": "../member.ts" } }`,
    "member/member.ts": `export const name = "member";`,
    "member/a.ts": `
      import { name as root } from "root";
      import { name as both } from "both";
      export const all = [root, both];
    `,
  });
  const { exports, bundle } = await runBundle(folder.file("member/a.ts"));
  assertEquals(exports.all, ["root", "member"]);
  for (const file of ["deno.json", "member/deno.json", "member/maps/map.json"]) {
    assert(bundle.inputs.includes(folder.file(file)), file);
  }
});

Deno.test("bundleScript() lowers decorators, of the old kind where deno.json asks for it", async () => {
  const script = (arity: number) => `
    const seen: number[] = [];
    function mark(...given: unknown[]): void { seen.push(given.length); }
    class A { @mark m() {} }
    export const result = [new A() !== undefined, seen[0] === ${arity}];
  `;
  await using folder = await scriptFolder({
    "new/a.ts": script(2),
    "old/a.ts": script(3),
    "old/deno.json": `{ "compilerOptions": { "experimentalDecorators": true } }`,
    // a stray configuration from above means nothing
    "tsconfig.json":
      `{ "compilerOptions": { "experimentalDecorators": true, "paths": { "x": ["y"] } } }`,
  });
  assertEquals((await runBundle(folder.file("new/a.ts"))).exports.result, [true, true]);
  assertEquals((await runBundle(folder.file("old/a.ts"))).exports.result, [true, true]);
});

Deno.test("bundleScript() gives the same hash wherever the files lie, and another for other code", async () => {
  const files = {
    "scripts/a.ts":
      `import { x } from "../lib/x.ts"; import "tool"; export const y = [x, import.meta.url];`,
    "lib/x.ts": "export const x = import.meta.dirname;",
    "node_modules/tool/package.json": `{ "name": "tool", "version": "1.0.0" }`,
    "node_modules/tool/index.js": `exports.here = __filename;`,
  };
  await using one = await scriptFolder(files);
  await using two = await scriptFolder(Object.fromEntries(
    Object.entries(files).map(([name, text]) => [`deeper/${name}`, text]),
  ));
  const first = await bundleOnce(one.file("scripts/a.ts"));
  const second = await bundleOnce(two.file("deeper/scripts/a.ts"));
  assertEquals(second.code, first.code);
  assertEquals(second.map, first.map);
  assertEquals(second.hash, first.hash);
  assertEquals(first.code.includes(one.path), false);
  await one.write({ "lib/x.ts": "export const x = 1;" });
  assertNotEquals((await bundleOnce(one.file("scripts/a.ts"))).hash, first.hash);
});

Deno.test("bundleScript() tells scripts that may make services from those that cannot", async () => {
  await using folder = await scriptFolder({
    "service.ts": `import * as mp from "mp"; mp.service("a", () => 1);`,
    "program.ts": `import * as mp from "mp"; console.log(mp.app);`,
    "plain.ts": `const service = 1; console.log(service);`,
  });
  const mayServe = async (name: string) => (await bundleOnce(folder.file(name))).mayServe;
  assertEquals(await mayServe("service.ts"), true);
  assertEquals(await mayServe("program.ts"), false);
  assertEquals(await mayServe("plain.ts"), false);
});

Deno.test("bundleScript() gives up when its signal aborts", async () => {
  await using folder = await scriptFolder({ "a.ts": "" });
  const reason = new Error("enough");
  await assertRejects(
    () => bundleScript(folder.file("a.ts"), { signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  const controller = new AbortController();
  const bundling = bundleScript(folder.file("a.ts"), { signal: controller.signal });
  controller.abort(reason);
  await assertRejects(() => bundling, Error, "enough");
  await stopBundler();
});
