import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { checkFolder, listFiles, readText } from "../../../examples/search/corpus.ts";
import { needsSystem, testWith } from "../../support/needs.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mp-corpus-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes one file, reads it as the corpus does, and removes it. */
async function read(content: Uint8Array | string) {
  const path = await Deno.makeTempFile({ prefix: "mp-corpus-" });
  try {
    await (typeof content === "string"
      ? Deno.writeTextFile(path, content)
      : Deno.writeFile(path, content));
    return await readText(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("listFiles() lists files of all folders, but not hidden ones, links and packages", () =>
  withFolder(async (folder) => {
    for (const name of ["a/b", ".git", "node_modules/x", "empty"]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    }
    for (
      const name of ["1.txt", "a/2.txt", "a/b/3", ".git/config", "node_modules/x/4.js", ".hidden"]
    ) {
      await Deno.writeTextFile(`${folder}/${name}`, "text");
    }
    if (Deno.build.os !== "windows") {
      await Deno.symlink(folder, `${folder}/a/circle`);
      await Deno.symlink(`${folder}/1.txt`, `${folder}/link`);
    }
    assertEquals((await Array.fromAsync(listFiles(folder))).sort(), ["1.txt", "a/2.txt", "a/b/3"]);
  }));

Deno.test("listFiles() lists nothing when the folder is empty", () =>
  withFolder(async (folder) => {
    assertEquals(await Array.fromAsync(listFiles(folder)), []);
  }));

Deno.test("listFiles() throws when the folder itself cannot be read", () =>
  withFolder(async (folder) => {
    await assertRejects(
      () => Array.fromAsync(listFiles(`${folder}/none`)),
      Error,
      `Cannot read "${folder}/none"`,
    );
  }));

Deno.test("checkFolder() throws when there is no such folder, or it is a file", () =>
  withFolder(async (folder) => {
    checkFolder(folder);
    await Deno.writeTextFile(`${folder}/file`, "");
    assertThrows(() => checkFolder(`${folder}/none`), Error, "there is no such folder");
    assertThrows(() => checkFolder(`${folder}/file`), Error, "it is not a folder");
    assertThrows(() => checkFolder("./none-such"), Error, `seen from "${Deno.cwd()}"`);
  }));

Deno.test("readText() reads UTF-8 and UTF-16, and passes over wrong bytes", async () => {
  assertEquals(await read("Éva"), { kind: "text", text: "Éva" });
  assertEquals(await read(Uint8Array.of(0xff, 0xfe, 0x41, 0)), { kind: "text", text: "A" });
  assertEquals(await read(Uint8Array.of(0xfe, 0xff, 0, 0x41)), { kind: "text", text: "A" });
  assertEquals(await read(Uint8Array.of(0x41, 0xff, 0x42)), { kind: "text", text: "A\ufffdB" });
  assertEquals(await read(""), { kind: "text", text: "" });
});

Deno.test("readText() knows binary files by their zero bytes", async () => {
  assertEquals(await read(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0)), { kind: "binary" });
});

Deno.test("readText() reads the first MiB of a huge file, and cuts no character in two", async () => {
  const result = await read("é".repeat(1024 * 1024));
  assertEquals(result, { kind: "text", text: "é".repeat(512 * 1024) });
  const odd = await read("x" + "é".repeat(1024 * 1024));
  assertEquals(odd, { kind: "text", text: "x" + "é".repeat(512 * 1024 - 1) });
});

Deno.test("readText() says why when a file cannot be read", async () => {
  const result = await readText("./none-such");
  assertEquals(result.kind, "unreadable");
  if (result.kind === "unreadable") assertStringIncludes(result.why, "No such file");
});

testWith(needsSystem("linux"), "readText() says why when reading itself fails", async () => {
  // opens, but what is at address 0 cannot be read
  const result = await readText("/proc/self/mem");
  assertEquals(result.kind, "unreadable");
});

testWith(
  Deno.uid() ? {} : { absent: "root may read everything", elsewhere: true },
  "listFiles() and readText() go on when they may not read something",
  () =>
    withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/locked`);
      await Deno.writeTextFile(`${folder}/locked/inside.txt`, "text");
      await Deno.writeTextFile(`${folder}/secret.txt`, "text", { mode: 0o000 });
      await Deno.chmod(`${folder}/locked`, 0o000);
      try {
        assertEquals(await Array.fromAsync(listFiles(folder)), ["secret.txt"]);
        assertEquals(await readText(`${folder}/secret.txt`), {
          kind: "unreadable",
          why: "permission denied",
        });
      } finally {
        await Deno.chmod(`${folder}/locked`, 0o700);
      }
    }),
);
