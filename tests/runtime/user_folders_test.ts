import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { cacheFolders, isPrivate, makeSocketFolder } from "../../runtime/user_folders.ts";
import { needsSystem, testWith } from "../support/needs.ts";

const env = (variables: Record<string, string>) => (name: string) => variables[name];

testWith(
  needsSystem("linux"),
  "cacheFolders() are the user's, then a temporary one",
  () => {
    const temporary = `/t/mp-${Deno.uid()}/x`;
    const folders = (variables: Record<string, string>) =>
      cacheFolders("x", env({ TMPDIR: "/t", ...variables }));
    assertEquals(folders({ XDG_CACHE_HOME: "/c", HOME: "/h" }), ["/c/mp/x", temporary]);
    assertEquals(folders({ XDG_CACHE_HOME: "c", HOME: "/h" }), ["/h/.cache/mp/x", temporary]);
    assertEquals(folders({}), [temporary]);
  },
);

testWith(
  needsSystem("linux", "darwin"),
  "isPrivate() is false for links, files, and what others can write",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
    try {
      assertEquals(isPrivate(folder), true);
      await Deno.symlink(folder, join(folder, "link"));
      await Deno.writeTextFile(join(folder, "file"), "");
      assertEquals([isPrivate(join(folder, "link")), isPrivate(join(folder, "file"))], [
        false,
        false,
      ]);
      for (const [mode, expected] of [[0o755, true], [0o775, false], [0o702, false]] as const) {
        await Deno.chmod(folder, mode);
        assertEquals(isPrivate(folder), expected, mode.toString(8));
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testWith(
  needsSystem("linux", "darwin"),
  "makeSocketFolder() leaves room for a socket when TMPDIR is long",
  async () => {
    const before = Deno.env.get("TMPDIR");
    const outer = await Deno.makeTempDir({ prefix: "mp-test-" });
    const long = join(outer, "long".repeat(30));
    await Deno.mkdir(long);
    Deno.env.set("TMPDIR", long);
    try {
      const folder = makeSocketFolder("mp-test-");
      Deno.listen({ transport: "unix", path: join(folder, "twelve_bytes") }).close();
      await Deno.remove(folder, { recursive: true });
      assertEquals([...Deno.readDirSync(long)], []);
    } finally {
      if (before === undefined) Deno.env.delete("TMPDIR");
      else Deno.env.set("TMPDIR", before);
      await Deno.remove(outer, { recursive: true });
    }
  },
);
