import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join, relative } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));
const NOT_OURS = new Set([".git", ".mp", "coverage", "dist", "node_modules"]);

/** Every text file of the project, by its path from the root. */
async function* texts(folder = root): AsyncGenerator<[path: string, text: string]> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (NOT_OURS.has(name)) continue;
    const path = join(folder, name);
    if (isDirectory) yield* texts(path);
    else yield [relative(root, path), await Deno.readTextFile(path)];
  }
}

/** Files of the root; other names without a folder are told in the context of one. */
const ENTRIES = new Set(["mod.ts", "main.ts", "mp.ts", "replica.ts"]);

const pin = (await Deno.readTextFile(join(root, ".dvmrc"))).trim();

Deno.test("README.md has the commands to try, with the Deno version of .dvmrc", async () => {
  const lines = (await Deno.readTextFile(join(root, "README.md"))).split("\n");
  for (
    const command of [
      `npx -y deno@${pin} task mp run examples/histogram.ts`,
      `npx -y deno@${pin} task mp client histogram-service`,
      `npx -y deno@${pin} task test`,
    ]
  ) assertEquals(lines.filter((line) => line === command).length, 1, command);
});

Deno.test("no file names another Deno version than .dvmrc", async () => {
  const odd: string[] = [];
  for await (const [path, text] of texts()) {
    for (const [, version] of text.matchAll(/\bdeno@(\d+\.\d+\.\d+)/g)) {
      if (version !== pin) odd.push(`${path}: deno@${version}`);
    }
  }
  assertEquals(odd, []);
});

Deno.test("no file names a path of somebody's machine", async () => {
  const paths = /(?<![\w.])\/(?:(?:home|Users)\/(?!(?:me|you)\b)|root\/|work\/)[\w.-]+/g;
  const odd: string[] = [];
  for await (const [path, text] of texts()) {
    for (const [found] of text.matchAll(paths)) odd.push(`${path}: ${found}`);
  }
  assertEquals(odd, []);
});

Deno.test("deno.lock holds every package of the import map", async () => {
  const [config, lock] = await Promise.all(
    ["deno.json", "deno.lock"].map((name) => Deno.readTextFile(join(root, name))),
  );
  const targets = Object.values(JSON.parse(config!).imports as Record<string, string>);
  for (const target of targets.filter((target) => target.startsWith("npm:"))) {
    // npm:deno-std@1.4.0/assert/mod.js is of the package npm:deno-std@1.4.0
    const [specifier] = /^npm:(?:@[^/]+\/)?[^/]+/.exec(target)!;
    assertStringIncludes(lock!, `"${specifier}"`);
  }
});

Deno.test("files that the docs name are there", async () => {
  const odd: string[] = [];
  for (const doc of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]) {
    const text = await Deno.readTextFile(join(root, doc));
    const named = text.matchAll(/`((?:[\w.]+\/)*[\w]+\.(?:ts|json|md))`|\]\(([\w./-]+\.md)/g);
    for (const path of new Set([...named].map(([, code, link]) => code ?? link!))) {
      if (!path.includes("/") && path.endsWith(".ts") && !ENTRIES.has(path)) continue;
      const there = await Deno.stat(join(root, path)).then(() => true, () => false);
      if (!there) odd.push(`${doc}: ${path}`);
    }
  }
  assertEquals(odd, []);
});
