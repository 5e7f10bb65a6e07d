import { assert, assertEquals } from "@std/assert";
import { basename, fromFileUrl, join } from "@std/path";
import { stopBundler, warmUpBundler } from "../../../runtime/script/bundler.ts";
import { ENTRY, stageCode, stageFiles } from "../../../scripts/compile/stage.ts";
import { TARGETS } from "../../../scripts/compile/targets.ts";

const STATIC = /(?:^|[;\n}/])(?:im|ex)port(?:[\s{*][^;"()]*?\bfrom)?\s*"([^"]+)"/g;
const LAZY = /\bimport\("(\.[^"]+)"\)/g;

const root = fromFileUrl(new URL("../../../", import.meta.url));

async function staged(body: (stage: string) => Promise<void>): Promise<void> {
  const stage = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-test-" }));
  try {
    await body(stage);
  } finally {
    await stopBundler();
    await Deno.remove(stage, { recursive: true });
  }
}

/** Every file of a folder, by its path in it. */
function texts(folder: string, at = ""): [path: string, text: string][] {
  return [...Deno.readDirSync(join(folder, at))].flatMap(({ name, isDirectory }) => {
    const path = join(at, name);
    if (isDirectory) return texts(folder, path);
    return [[path, Deno.readTextFileSync(join(folder, path))] as [string, string]];
  });
}

/** What a file loads at once, with all that this loads. */
function loadedBy(files: ReadonlyMap<string, string>, entry: string): Set<string> {
  const loaded = new Set([entry]);
  for (const path of loaded) {
    for (const [, name] of files.get(path)!.matchAll(STATIC)) {
      if (name!.startsWith(".")) loaded.add(join(path, "..", name!));
    }
  }
  return loaded;
}

Deno.test("stageCode() bundles all that is reachable, the same wherever the tree lies", () =>
  staged(async (one) => {
    await stageCode(root, one);
    const files = new Map(texts(one));
    const [main, replica] = ["main/main.js", "replica/replica.js"];
    for (const path of [ENTRY, main, replica]) assert(files.has(path), path);

    for (const [path, text] of files) {
      const imported = [STATIC, LAZY].flatMap((pattern) => [...text.matchAll(pattern)]);
      const left = imported.map(([, to]) => to!)
        .filter((to) => !/^node:/.test(to) && !files.has(join(path, "..", to)));
      assertEquals(left, [], path);
      assert(!text.includes(root), `${path} holds the path of this tree`);
      assert(!/registry\.npmjs\.org/.test(text), `${path} holds a path of Deno's cache`);
    }

    // what is loaded lazily lies apart from what is loaded at once
    const holding = (part: string) => [...files].filter(([, text]) => text.includes(part));
    // both halves use these, so there is one copy
    for (const part of ["ER_ACCESS_DENIED_ERROR", "HPEXPIREAT"]) {
      assertEquals(holding(part).map(([path]) => path.split("/")[0]), ["libraries"], part);
    }
    // all of it is read at each start
    const size = [...files.values()].reduce((sum, text) => sum + text.length, 0);
    assert(size < 4.5e6, `${size} characters`);
    const [atOnce, serving] = [loadedBy(files, main), loadedBy(files, replica)];
    for (
      const part of ["ER_ACCESS_DENIED_ERROR", "node_modules/esbuild/", "node_modules/prom-client/"]
    ) {
      for (const [path] of holding(part)) assert(![...atOnce, ...serving].includes(path), path);
    }
    assertEquals(holding("node_modules/esbuild/").map(([path]) => path.split("/")[0]), ["main"]);
    assert([...serving].every((path) => path.startsWith("replica/")));

    const two = `${one}-again`;
    try {
      const link = join(await Deno.realPath(one), "link");
      await Deno.symlink(root, link, { type: "junction" });
      await stageCode(`${link}/`, two);
      await Deno.remove(link);
      assertEquals(new Map(texts(two)), files);
    } finally {
      await Deno.remove(two, { recursive: true });
    }
  }));

Deno.test("stageFiles() puts each system's esbuild in, and names what all of it is by a digest", () =>
  staged(async (stage) => {
    const { version: esbuildVersion } = await warmUpBundler();
    await Deno.writeTextFile(join(stage, ENTRY), "1;");
    const packageFolder = join(stage, "..", `${basename(stage)}-package`);
    await Deno.mkdir(packageFolder);
    await Deno.writeTextFile(join(packageFolder, "mod.js"), "1;");
    const make = async (index: number) =>
      await stageFiles({ root, stage, target: TARGETS[index]!, esbuildVersion, packageFolder });
    try {
      const digests = new Set<string>();
      // one of Linux, where they lie apart, and one of Windows, then that of Linux again
      const indices = [0, TARGETS.length - 1];
      for (const index of indices) {
        const { embedded, before } = await make(index);
        const { digest, target, esbuild, package: inside } = embedded;
        digests.add(digest);
        assertEquals([target, esbuild.version], [TARGETS[index]!.name, esbuildVersion]);
        if (index === 0) {
          assertEquals(before.length, 2);
          assertEquals([esbuild.before, inside!.before], [
            esbuild.size + inside!.size,
            inside!.size,
          ]);
          assertEquals((await Deno.stat(before[0]!)).size, esbuild.size);
        } else {
          assertEquals([before, esbuild.before], [[], undefined]);
          assertEquals((await Deno.stat(join(stage, esbuild.path))).size, esbuild.size);
          assertEquals((await Deno.stat(join(stage, inside!.path))).size, inside!.size);
        }
      }
      assertEquals(digests.size, indices.length);
      assert(digests.has((await make(0)).embedded.digest), "the digest is not the same again");
      await Deno.writeTextFile(join(packageFolder, "mod.js"), "2;");
      assert(!digests.has((await make(0)).embedded.digest), "a file is not in it");
    } finally {
      for (const path of [packageFolder, `${stage}-before`]) {
        await Deno.remove(path, { recursive: true });
      }
    }
  }));
