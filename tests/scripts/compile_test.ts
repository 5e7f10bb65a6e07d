import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { denoDir } from "../support/deno_dir.ts";

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
    assertStringIncludes(err, `the base executable of ${Deno.build.target} cannot be downloaded`);
    assertStringIncludes(err, "DENORT_BIN");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("scripts/compile.ts refuses what it cannot make", async () => {
  const other = Deno.build.os === "windows" ? "aarch64-apple-darwin" : "x86_64-pc-windows-msvc";
  const cases: [args: string[], base: string, said: string][] = [
    [["--outptu", "mp"], "", `unknown argument "--outptu"`],
    [[], "/nowhere/denort", "there is no such file"],
    [["--target", "pdp-11"], "", `there is no target "pdp-11"`],
    [["--target", "all", "--output", "mp"], "", "--output names one file"],
    [
      ["--target", other],
      Deno.execPath(),
      `DENORT_BIN is a base for ${Deno.build.target}, not for`,
    ],
    [[], fromFileUrl(import.meta.url), "DENORT_BIN is no program that is known"],
    [["--target", "all"], Deno.execPath(), "DENORT_BIN names the base of one target"],
  ];
  for (const [args, base, said] of cases) {
    const { code, err } = await compile(args, { DENORT_BIN: base });
    assertEquals(code, 2, err);
    assertStringIncludes(err, said);
    assertStringIncludes(err, "Usage: deno task compile");
  }
});
