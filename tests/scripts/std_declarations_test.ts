import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));

/** What `std/*.d.ts` declare: module names, each with the values that it exports. */
async function declaredModules(): Promise<Map<string, string[]>> {
  const modules = new Map<string, string[]>();
  for await (const { name } of Deno.readDir(new URL("std/", root))) {
    const text = await Deno.readTextFile(new URL(`std/${name}`, root));
    for (const [, module, body] of text.matchAll(/^declare module "(.+?)" \{\n(.*?)^\}/gms)) {
      const values = body!.matchAll(/^ {2}export (?:function|const|class) (\w+)/gm);
      modules.set(module!, [...new Set([...values].map(([, value]) => value!))]);
    }
  }
  return modules;
}

Deno.test("std/ declares each @std name of the import map, and no other", async () => {
  const mapped = Object.keys(config.imports).filter((name) => name.startsWith("@std/"));
  assertEquals([...(await declaredModules()).keys()].sort(), mapped.sort());
});

Deno.test("std/ declares only values that the modules export", async () => {
  for (const [module, values] of await declaredModules()) {
    const real = await import(module);
    assert(values.length > 0, `${module} declares nothing`);
    for (const value of values) assert(value in real, `${module} has no ${value}`);
  }
});

Deno.test("compilerOptions.types lists each file of std/", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL("std/", root))) files.push(`./std/${name}`);
  assertEquals([...config.compilerOptions.types].sort(), files.sort());
});
