import { assertEquals, assertRejects } from "@std/assert";
import { scriptEntries } from "../../../drivers/docker/script_files.ts";
import { MpError } from "../../../runtime/errors.ts";

Deno.test("scriptEntries() takes files and folders along, in order, and follows links", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/data/inner`, { recursive: true });
    await Deno.writeTextFile(`${folder}/data/b.txt`, "b");
    await Deno.writeTextFile(`${folder}/data/inner/a.txt`, "a");
    await Deno.writeTextFile(`${folder}/tool`, "#!/bin/sh", { mode: 0o755 });
    await Deno.symlink(`${folder}/tool`, `${folder}/data/linked`);
    const entries = await scriptEntries({ folder, paths: ["data", "tool"] });
    assertEquals(entries.map(({ path, mode }) => [path, mode]), [
      ["app/data/", undefined],
      ["app/data/b.txt", 0o644],
      ["app/data/inner/", undefined],
      ["app/data/inner/a.txt", 0o644],
      ["app/data/linked", 0o755],
      ["app/tool", 0o755],
    ]);
    const error = await assertRejects(() => scriptEntries({ folder, paths: ["none"] }), MpError);
    assertEquals([error.code, error.where], ["launch_failed", "mp.files()"]);
    assertEquals(await scriptEntries(undefined), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
