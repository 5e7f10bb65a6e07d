// What the executable writes out at its first run.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { executable, needsExecutable } from "../support/executable.ts";
import { mpSandbox, type Sandbox } from "../support/mp.ts";
import { needsMounts, needsSystem, testWith } from "../support/needs.ts";

const NEEDS = [needsExecutable(), needsSystem("linux", "darwin")];
const HELLO = `import * as mp from "@metaparticle/mp";\nmp.service("hello", () => "hi");\n`;

/** Disks that take no program, as options of a mount, and what is said where there are no others. */
const DISKS = [
  [
    "size=64k",
    /^error: Cannot write out esbuild, .*\/cache\/.*: no space left on device; .*\/tmp\/.*: no space left on device\n.*Set XDG_CACHE_HOME/,
  ],
  [
    "size=4k,nr_inodes=1",
    /^error: Cannot write temporary files in ".*\/tmp": no space left on device\n.*TMPDIR/,
  ],
  ["ro", /^error: Cannot write temporary files in ".*\/tmp": read-only file system\n.*TMPDIR/],
] as const;

async function withScript(): Promise<Sandbox> {
  const sandbox = await mpSandbox([executable()]);
  await sandbox.write("hello.ts", HELLO);
  return sandbox;
}

/** Every file under a folder, by its path in it. */
function filesIn(folder: string, at = ""): string[] {
  return [...Deno.readDirSync(join(folder, at))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(folder, join(at, name)) : [join(at, name)]
  ).sort();
}

testWith(NEEDS, "two first runs at the same moment do not harm each other", async () => {
  await using sandbox = await withScript();
  const runs = await Promise.all([1, 2, 3].map(() => sandbox.run(["plan", "hello.ts", "--json"])));
  for (const { code, stdout, stderr } of runs) {
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout).app, "hello");
  }
  const files = filesIn(join(sandbox.folder, "cache", "mp")).map((path) => path.split("/"));
  assertEquals(files.map((path) => path.at(-1)), ["checked.json", "esbuild"]);
});

testWith(
  NEEDS,
  "what another executable left is not used, and what is damaged is made again",
  async () => {
    await using sandbox = await withScript();
    const cache = join(sandbox.folder, "cache", "mp", "esbuild");
    // an older one's, in the place where its own hash put it
    const older = join(cache, "0".repeat(32), "esbuild");
    await Deno.mkdir(join(older, ".."), { recursive: true, mode: 0o700 });
    await Deno.chmod(join(sandbox.folder, "cache", "mp"), 0o700);
    await Deno.chmod(cache, 0o700);
    await Deno.writeTextFile(older, "#!/bin/sh\nexit 1\n", { mode: 0o700 });
    const plan = async () => {
      const { code, stderr } = await sandbox.run(["plan", "hello.ts"]);
      assertEquals(code, 0, stderr);
    };
    await plan();
    const own = filesIn(cache).filter((path) =>
      path.endsWith("/esbuild") && !path.startsWith("000")
    );
    assertEquals(own.length, 1);
    const program = join(cache, own[0]!);
    const { size } = await Deno.stat(program);
    await Deno.truncate(program, 1000);
    await plan();
    assertEquals((await Deno.stat(program)).size, size);
  },
);

testWith(
  NEEDS,
  "without a folder for the program, a temporary one is used, or it is said",
  async () => {
    await using sandbox = await withScript();
    // a file where a folder would have to be, for root may write everywhere
    const nowhere = await sandbox.write("file", "");
    const temporary = join(sandbox.folder, "tmp");
    await Deno.mkdir(temporary);
    const env = { XDG_CACHE_HOME: nowhere, TMPDIR: temporary };
    const second = await sandbox.run(["plan", "hello.ts"], { env });
    assertEquals(second.code, 0, second.stderr);
    assertEquals(filesIn(temporary).filter((path) => path.endsWith("/esbuild")).length, 1);

    const full = join(sandbox.folder, "full");
    await Deno.mkdir(full);
    await Deno.writeTextFile(join(full, `mp-${Deno.uid()}`), "");
    const refused = await sandbox.run(["plan", "hello.ts"], { env: { ...env, TMPDIR: full } });
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "Cannot write out esbuild, which bundles scripts");
    assertStringIncludes(refused.stderr, "→ Set XDG_CACHE_HOME to a folder that can be written");
  },
);

testWith(
  [...NEEDS, needsMounts()],
  "on a full or read-only disk, a temporary folder is used, or it is said",
  async () => {
    for (const [options, said] of DISKS) {
      // a disk of its own where the cache is kept, and another for what is temporary
      const mount = [
        `mount -t tmpfs -o ${options} tmpfs "$XDG_CACHE_HOME"`,
        `if [ -n "$FULL" ]; then mount -t tmpfs -o ${options} tmpfs "$TMPDIR"; fi`,
        'exec "$@"',
      ].join(" && ");
      const program = ["unshare", "-rm", "sh", "-c", mount, "sh", executable()];
      await using sandbox = await mpSandbox(program);
      await sandbox.write("hello.ts", HELLO);
      const TMPDIR = join(sandbox.folder, "tmp");
      await Deno.mkdir(TMPDIR);
      const full = await sandbox.run(["plan", "hello.ts"], { env: { TMPDIR, FULL: "yes" } });
      assertEquals([full.code, full.stdout], [1, ""]);
      assertMatch(full.stderr, said);
      assertEquals(filesIn(TMPDIR), []);
      const second = await sandbox.run(["plan", "hello.ts"], { env: { TMPDIR } });
      assertEquals(second.code, 0, second.stderr);
      assertEquals(filesIn(TMPDIR).filter((path) => path.endsWith("/esbuild")).length, 1);
    }
  },
);
