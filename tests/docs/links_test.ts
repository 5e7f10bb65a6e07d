import { assertEquals } from "@std/assert";

const folder = new URL("../../docs/", import.meta.url);

Deno.test("links of the docs lead to files that are there", async () => {
  const broken: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".md")) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      const there = await Deno.stat(new URL(link!, folder)).then(() => true, () => false);
      if (!there) broken.push(`${name}: ${link}`);
    }
  }
  assertEquals(broken, []);
});

Deno.test("every page of the docs is linked from the first one", async () => {
  const first = await Deno.readTextFile(new URL("getting-started.md", folder));
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".md") && name !== "getting-started.md" && !first.includes(`(${name})`)) {
      throw new Error(`docs/getting-started.md does not link ${name}`);
    }
  }
});
