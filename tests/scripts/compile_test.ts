import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { denoDir } from "../support/deno_dir.ts";
import { testWith } from "../support/needs.ts";

const root = new URL("../../", import.meta.url);

async function compile(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/compile.ts", ...args],
    cwd: root,
    env: { INIT_CWD: "", NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const base = Deno.env.get("DENORT_BIN");

testWith(
  base ? {} : { absent: "DENORT_BIN names no base executable", elsewhere: true },
  "scripts/compile.ts makes an executable that helps",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "mp-compile-" });
    try {
      const file = join(folder, "mp");
      const { code, err } = await compile(["--output", file]);
      assertEquals(code, 0, err);
      const { stdout } = await new Deno.Command(file, { args: ["help"], cwd: folder }).output();
      assertMatch(new TextDecoder().decode(stdout), /Usage: mp /);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("scripts/compile.ts says what to do when the base cannot be downloaded", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-compile-" });
  try {
    // a cache with packages but no base, and a proxy that refuses
    await Deno.symlink(join(await denoDir(), "npm"), join(folder, "npm"));
    const { code, err } = await compile(["--output", join(folder, "mp")], {
      DENORT_BIN: "",
      DENO_DIR: folder,
      HTTPS_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "",
    });
    assertEquals(code, 1);
    assertStringIncludes(err, "the base executable cannot be downloaded");
    assertStringIncludes(err, "DENORT_BIN");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("scripts/compile.ts refuses unknown arguments and a base that is not there", async () => {
  const unknown = await compile(["--outptu", "mp"]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.err, `unknown argument "--outptu"`);
  const missing = await compile([], { DENORT_BIN: "/nowhere/denort" });
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.err, "there is no such file");
});
