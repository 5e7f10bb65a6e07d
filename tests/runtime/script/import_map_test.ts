import { assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import {
  type ImportMapSource,
  mapsUrls,
  mergeImportMaps,
  parseImportMap,
  resolveImport,
} from "../../../runtime/script/import_map.ts";

const BASE = "file:///shop/deno.json";
const resolve = (
  source: ImportMapSource,
  specifier: string,
  referrer = "file:///shop/src/a.ts",
) => resolveImport(parseImportMap(source, BASE), specifier, referrer);

Deno.test("resolveImport() maps whole names and prefixes, the longest first", () => {
  const source = { imports: { "a": "./a.ts", "a/": "./a/", "a/b/": "https://x.y/b/" } };
  assertEquals(resolve(source, "a"), "file:///shop/a.ts");
  assertEquals(resolve(source, "a/c.ts"), "file:///shop/a/c.ts");
  assertEquals(resolve(source, "a/b/c.ts"), "https://x.y/b/c.ts");
  assertEquals(resolve(source, "ab"), undefined);
  assertEquals(resolve(source, "./a"), undefined);
});

Deno.test("resolveImport() maps relative specifiers by where they lead", () => {
  const source = { imports: { "./src/b.ts": "./src/c.ts", "./src/": "./lib/" } };
  assertEquals(resolve(source, "./b.ts"), "file:///shop/src/c.ts");
  assertEquals(resolve(source, "./d.ts"), "file:///shop/lib/d.ts");
  assertEquals(resolve(source, "./b.ts", "file:///shop/a.ts"), undefined);
  assertEquals(mapsUrls(parseImportMap(source, BASE)), true);
  assertEquals(mapsUrls(parseImportMap({ imports: { b: "./c.ts" } }, BASE)), false);
});

Deno.test("resolveImport() prefers the innermost scope of the importing file", () => {
  const source = {
    imports: { a: "./1.ts" },
    scopes: { "./src/": { a: "./2.ts" }, "./src/deep/": { a: "./3.ts" } },
  };
  assertEquals(resolve(source, "a", "file:///shop/a.ts"), "file:///shop/1.ts");
  assertEquals(resolve(source, "a", "file:///shop/src/a.ts"), "file:///shop/2.ts");
  assertEquals(resolve(source, "a", "file:///shop/src/deep/a.ts"), "file:///shop/3.ts");
});

Deno.test("resolveImport() maps what is inside of a package, as Deno does", () => {
  const source = { imports: { hono: "npm:hono@4", "@std/fs": "jsr:@std/fs@^1" } };
  assertEquals(resolve(source, "hono"), "npm:hono@4");
  assertEquals(resolve(source, "hono/cors"), "npm:hono@4/cors");
  assertEquals(resolve(source, "@std/fs/walk"), "jsr:@std/fs@^1/walk");
});

Deno.test("mergeImportMaps() prefers the first map", () => {
  const first = parseImportMap({ imports: { a: "./1.ts" } }, BASE);
  const second = parseImportMap({ imports: { a: "./2.ts", b: "./2.ts" } }, BASE);
  const merged = mergeImportMaps([first, second]);
  assertEquals(resolveImport(merged, "a", BASE), "file:///shop/1.ts");
  assertEquals(resolveImport(merged, "b", BASE), "file:///shop/2.ts");
});

Deno.test("parseImportMap() throws for what is no import map", () => {
  const wrong: [unknown, string][] = [
    [{ imports: [] }, `"imports" is not an object`],
    [{ scopes: 1 }, `"scopes" is not an object`],
    [{ scopes: { "./a/": null } }, `scope "./a/" is not an object`],
    [{ imports: { "a/": "./b" } }, `"a/" ends with "/" but "./b" does not`],
  ];
  for (const [source, why] of wrong) {
    const error = assertThrows(() => parseImportMap(source as ImportMapSource, BASE), MpError, why);
    assertEquals(error.where, "/shop/deno.json");
  }
});
