import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { concerns, watchFiles } from "../../../runtime/cli/watch_files.ts";

async function watched() {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-test-" }));
  const file = join(folder, "a.ts");
  await Deno.writeTextFile(file, "1");
  const controller = new AbortController();
  let files = [file];
  const changes = watchFiles(() => files, controller.signal)[Symbol.asyncIterator]();
  return {
    folder,
    file,
    also: (path: string) => files = [...files, path],
    /** Writes files until a change is told, for a watch begins some time after it was asked for. */
    async changed(write: () => Promise<void>) {
      const next = changes.next();
      let told = false;
      next.then(() => told = true);
      while (!told) {
        await write();
        let timer: ReturnType<typeof setTimeout> | undefined;
        await Promise.race([next, new Promise((resolve) => timer = setTimeout(resolve, 50))]);
        clearTimeout(timer);
      }
      return (await next).done;
    },
    async [Symbol.asyncDispose]() {
      controller.abort();
      assertEquals((await changes.next()).done, true);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("watchFiles() tells when a file is written", async () => {
  await using at = await watched();
  assertEquals(await at.changed(() => Deno.writeTextFile(at.file, "2")), false);
});

Deno.test("watchFiles() tells when a file is replaced, as editors do", async () => {
  await using at = await watched();
  const replace = async () => {
    await Deno.writeTextFile(join(at.folder, "a.ts.new"), "2");
    await Deno.rename(join(at.folder, "a.ts.new"), at.file);
  };
  assertEquals(await at.changed(replace), false);
  assertEquals(await at.changed(replace), false);
});

Deno.test("concerns() passes over other files, and over reading", () => {
  const files = ["/app/a.ts", "/app/b.ts"];
  assertEquals(concerns({ kind: "modify", paths: ["/app/b.ts"] }, files), true);
  assertEquals(concerns({ kind: "rename", paths: ["/app/b.ts.new", "/app/b.ts"] }, files), true);
  assertEquals(concerns({ kind: "modify", paths: ["/app/c.ts"] }, files), false);
  assertEquals(concerns({ kind: "access", paths: ["/app/a.ts"] }, files), false);
});

Deno.test("watchFiles() watches files that come to be watched later", async () => {
  await using at = await watched();
  const other = join(at.folder, "sub", "c.ts");
  await Deno.mkdir(join(at.folder, "sub"));
  await Deno.writeTextFile(other, "1");
  await at.changed(() => Deno.writeTextFile(at.file, "2"));
  at.also(other);
  assertEquals(await at.changed(() => Deno.writeTextFile(other, "2")), false);
});
