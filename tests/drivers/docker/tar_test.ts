import { assertEquals, assertRejects } from "@std/assert";
import { filesOf, tarBytes, type TarEntry } from "../../../drivers/docker/tar.ts";

Deno.test("tarOf() and filesOf() are each other's inverse", async () => {
  const long = `${"folder/".repeat(20)}file`;
  const entries: TarEntry[] = [
    { path: "empty", content: "" },
    { path: "folder/", mode: 0o1777 },
    { path: "folder/ä", content: "wörd\n".repeat(1000) },
    { path: long, content: new Uint8Array([65, 66]), owner: 65_532 },
  ];
  assertEquals([...filesOf(await tarBytes(entries))], [
    ["empty", ""],
    ["folder/ä", "wörd\n".repeat(1000)],
    [long, "AB"],
  ]);
});

Deno.test("tarOf() makes the same bytes of the same entries, which tar reads", async () => {
  const inner: TarEntry[] = [{ path: "in", content: "inner", mode: 0o600, owner: 7 }];
  const entries: TarEntry[] = [{ path: "a.tar", content: { entries: inner } }, {
    path: "b",
    content: "b",
  }];
  const bytes = await tarBytes(entries);
  assertEquals(bytes, await tarBytes(entries));
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/all.tar`, bytes);
    const tar = async (...args: string[]) => {
      const { success, stdout, stderr } = await new Deno.Command("tar", { args, cwd: folder })
        .output();
      assertEquals(success, true, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    await tar("-xf", "all.tar");
    const listing = await tar("-tvf", "a.tar", "--numeric-owner");
    assertEquals(/^-rw------- 7\/7 +5 .* in\n$/.test(listing), true, listing);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tarOf() streams files of this machine", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "x".repeat(3_000_001));
    const files = filesOf(await tarBytes([{ path: "x", content: { file } }]));
    assertEquals(files.get("x")?.length, 3_000_001);
    await assertRejects(() => tarBytes([{ path: "x", content: { file: `${file}.not` } }]));
  } finally {
    await Deno.remove(file);
  }
});
