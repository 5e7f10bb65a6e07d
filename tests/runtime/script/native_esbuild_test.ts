// A shell script stands for esbuild's program, whose version it says: what matters is how it is kept.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { dirname, join } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { nativeEsbuild } from "../../../runtime/script/native_esbuild.ts";
import { needsSystem, testWith } from "../../support/needs.ts";

const UNIX = needsSystem("linux", "darwin");
const NOT_ROOT = Deno.uid() === 0
  ? { absent: "root may write everywhere", elsewhere: true }
  : needsSystem("linux", "darwin");

function program(version: string) {
  const bytes = new TextEncoder().encode(`#!/bin/sh\necho ${version}\n`);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const embedded = { path: "files/esbuild", size: bytes.length, sha256, version };
  let reads = 0;
  return {
    embedded,
    bytes,
    /** How often it was read from the executable. */
    reads: () => reads,
    read: (file: unknown) => {
      assertEquals(file, embedded);
      reads++;
      return bytes;
    },
  };
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-test-" }));
  try {
    await body(folder);
  } finally {
    await Deno.chmod(folder, 0o700);
    await Deno.remove(folder, { recursive: true });
  }
}

const cacheIn = (folder: string) => join(folder, "mp", "esbuild");
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

testWith(
  UNIX,
  "nativeEsbuild() writes the program out once, in private",
  () =>
    withFolder(async (folder) => {
      const { embedded, read, reads, bytes } = program("1.0.0");
      const options = { embedded, read, caches: [cacheIn(folder)] };
      const path = await nativeEsbuild(options);
      assertEquals(await Deno.readFile(path), bytes);
      for (const at of [path, dirname(path), cacheIn(folder), dirname(cacheIn(folder))]) {
        assertEquals((await Deno.stat(at)).mode! & 0o777, 0o700, at);
      }
      assertEquals(await nativeEsbuild(options), path);
      assertEquals(reads(), 1);
      assertEquals(names(dirname(path)), ["checked.json", "esbuild"]);
    }),
);

testWith(UNIX, "nativeEsbuild() makes a damaged program again", () =>
  withFolder(async (folder) => {
    const { embedded, read, reads, bytes } = program("1.0.0");
    const options = { embedded, read, caches: [cacheIn(folder)] };
    const path = await nativeEsbuild(options);
    const { mtime, atime } = await Deno.stat(path);
    const other = bytes.with(-2, bytes.at(-2)! + 1);
    const damages: (() => Promise<void>)[] = [
      () => Deno.truncate(path, 3),
      () => Deno.remove(path),
      () => Deno.chmod(path, 0o600),
      async () => {
        // of the same length, and seemingly of the same time
        await Deno.writeFile(path, other);
        await Deno.utime(path, atime!, mtime!);
      },
      async () => {
        await Deno.writeFile(path, other);
        await Deno.remove(join(dirname(path), "checked.json"));
      },
      async () => {
        await Deno.writeFile(path, other);
        await Deno.writeTextFile(join(dirname(path), "checked.json"), "{");
      },
    ];
    for (const [i, damage] of damages.entries()) {
      await damage();
      assertEquals(await nativeEsbuild(options), path);
      assertEquals(await Deno.readFile(path), bytes, `damage ${i}`);
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o700, `damage ${i}`);
      assertEquals(reads(), i + 2);
    }
    // what lies there whole is used, though nobody remembers having compared it
    await Deno.remove(join(dirname(path), "checked.json"));
    await nativeEsbuild(options);
    assertEquals(reads(), damages.length + 1);
  }));

testWith(
  UNIX,
  "nativeEsbuild() takes what an executable of another version left for another's",
  () =>
    withFolder(async (folder) => {
      const [old, fresh] = [program("1.0.0"), program("1.1.0")];
      const caches = [cacheIn(folder)];
      const oldPath = await nativeEsbuild({ ...old, caches });
      const path = await nativeEsbuild({ ...fresh, caches });
      assert(path !== oldPath);
      assertEquals(await Deno.readFile(path), fresh.bytes);
      // both go on
      assertEquals(await nativeEsbuild({ ...old, caches }), oldPath);
      assertEquals([old.reads(), fresh.reads()], [1, 1]);
    }),
);

testWith(
  UNIX,
  "nativeEsbuild() by many at once leaves one program, which runs",
  () =>
    withFolder(async (folder) => {
      const { embedded, read, bytes } = program("1.0.0");
      const caches = [cacheIn(folder)];
      const paths = await Promise.all(
        Array.from({ length: 8 }, () => nativeEsbuild({ embedded, read, caches })),
      );
      assertEquals(new Set(paths).size, 1);
      assertEquals(await Deno.readFile(paths[0]!), bytes);
      assertEquals(names(dirname(paths[0]!)), ["checked.json", "esbuild"]);
    }),
);

testWith(
  UNIX,
  "nativeEsbuild() takes the next folder where others can write, or nothing can lie",
  () =>
    withFolder(async (folder) => {
      const { embedded, read } = program("1.0.0");
      const [open, file, good] = ["open", "file", "good"].map((name) => join(folder, name));
      await Deno.mkdir(open!, { mode: 0o700 });
      await Deno.chmod(open!, 0o777);
      await Deno.writeTextFile(file!, "");
      const caches = [join(open!, "esbuild"), cacheIn(file!), cacheIn(good!)];
      const path = await nativeEsbuild({ embedded, read, caches });
      assertEquals(dirname(dirname(path)), cacheIn(good!));
      const error = await assertRejects(
        () => nativeEsbuild({ embedded, read, caches: caches.slice(0, 2) }),
        MpError,
      );
      assertEquals(error.code, "state_unwritable");
      assertStringIncludes(error.message, "others can write to it");
      assertStringIncludes(error.next!, "Set XDG_CACHE_HOME");
    }),
);

testWith(
  NOT_ROOT,
  "nativeEsbuild() says why when no folder can be written",
  () =>
    withFolder(async (folder) => {
      const { embedded, read } = program("1.0.0");
      await Deno.chmod(folder, 0o500);
      const error = await assertRejects(
        () => nativeEsbuild({ embedded, read, caches: [cacheIn(folder)] }),
        MpError,
      );
      assertStringIncludes(error.message, "Permission denied");
    }),
);

testWith(
  UNIX,
  "nativeEsbuild() refuses an executable that is damaged, and a program of no use",
  () =>
    withFolder(async (folder) => {
      const { embedded, bytes } = program("1.0.0");
      const caches = [cacheIn(folder)];
      const damaged = await assertRejects(
        () => nativeEsbuild({ embedded, read: () => bytes.slice(1), caches }),
        MpError,
      );
      assertEquals([damaged.code, damaged.next], ["launch_failed", "Get a fresh copy of mp"]);
      const other = { ...embedded, version: "2.0.0" };
      const odd = await assertRejects(
        () => nativeEsbuild({ embedded: other, read: () => bytes, caches }),
        MpError,
      );
      assertStringIncludes(odd.message, `it does not run here: it says "1.0.0"`);
      // nothing is left of the attempts
      assertEquals(
        names(cacheIn(folder)).flatMap((name) => names(join(cacheIn(folder), name))),
        [],
      );
    }),
);
