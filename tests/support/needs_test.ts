import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";

const needs = new URL("./needs.ts", import.meta.url).href;

/** What `deno test` prints of a test that needs something, and its status. */
async function run(need: string, env: Record<string, string>) {
  const folder = await Deno.makeTempDir({ prefix: "mp-needs-" });
  try {
    const file = join(folder, "a_test.ts");
    await Deno.writeTextFile(
      file,
      `import { needsProgram, needsSystem, testWith } from "${needs}";
       testWith(${need}, "answers", () => {});`,
    );
    const config = join(dirname(fromFileUrl(needs)), "../../deno.json");
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--no-lock", "--config", config, file],
      cwd: folder,
      env: { CI: "", NO_COLOR: "1", ...env },
    }).output();
    return { code, text: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("testWith() runs a test whose need is there", async () => {
  const { code, text } = await run(`needsSystem("${Deno.build.os}")`, {});
  assertMatch(text, /answers \.\.\. ok/);
  assertEquals(code, 0);
});

Deno.test("testWith() skips a test whose need is not there, and says why", async () => {
  const { code, text } = await run(`needsProgram("no-such", "apt-get install it")`, {});
  assertMatch(
    text,
    /answers \[skipped: no no-such on the PATH; apt-get install it\] \.\.\. ignored/,
  );
  assertEquals(code, 0);
});

Deno.test("testWith() fails such a test with CI=true", async () => {
  const { code, text } = await run(`needsProgram("no-such", "get it")`, { CI: "true" });
  assertMatch(text, /Cannot test without what CI must have: no no-such on the PATH/);
  assertEquals(code, 1);
});

Deno.test("testWith() skips what is for another system with CI=true, too", async () => {
  const { code, text } = await run(`needsSystem("solaris")`, { CI: "true" });
  assertMatch(text, /answers \[skipped: only for solaris\] \.\.\. ignored/);
  assertEquals(code, 0);
});
