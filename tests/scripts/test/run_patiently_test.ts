import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type PatientResult, runPatiently } from "../../../scripts/test/run_patiently.ts";
import { ENDS_IT } from "./ends_it.ts";

async function run(sources: Record<string, string>, files = Object.keys(sources)) {
  const cwd = await Deno.makeTempDir({ prefix: "mp-patient-" });
  const lines: string[] = [];
  try {
    for (const [name, source] of Object.entries(sources)) {
      await Deno.writeTextFile(join(cwd, name), source);
    }
    const summary = await runPatiently(
      ["--no-config", "-A", "--no-check"],
      files,
      { cwd, signal: new AbortController().signal, print: (line) => lines.push(line) },
    );
    return { summary, text: lines.join("\n") };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const countsOf = ({ passed, failed, skipped, flaky }: PatientResult) => ({
  passed,
  failed,
  skipped,
  flaky,
});

const PASSES = `Deno.test("passes", () => {});`;
/** Fails at its first run, as the file that it leaves then tells it. */
const FLAKY = `Deno.test("passes in the end", async () => {
  const mark = new URL("./mark", import.meta.url);
  const isSecond = await Deno.stat(mark).then(() => true, () => false);
  await Deno.writeTextFile(mark, "");
  if (!isSecond) throw new Error("not yet");
});`;
const FAILS = `Deno.test("fails", () => { throw new Error("on purpose"); });`;

Deno.test("runPatiently() names what passes only by itself", async () => {
  const { summary, text } = await run({ "a_test.ts": PASSES, "b_test.ts": FLAKY });
  assertEquals(countsOf(summary), { passed: 2, failed: 0, skipped: 0, flaky: ["b_test.ts"] });
  assertStringIncludes(text, "Once more, by themselves: b_test.ts");
});

Deno.test("runPatiently() fails what fails again", async () => {
  const { summary } = await run({
    "a_test.ts": PASSES,
    "b_test.ts": FLAKY + FAILS,
    "c_test.ts": FLAKY.replace("./mark", "./other"),
  });
  assertEquals(countsOf(summary), { passed: 3, failed: 1, skipped: 0, flaky: ["c_test.ts"] });
  assertEquals(
    summary.complaints.filter((each) => each.includes("fails =>")).map((each) =>
      each.replace(/:\d+:\d+$/, "")
    ),
    ["Failed: fails => ./b_test.ts", "Failed: fails => ./b_test.ts"],
  );
});

Deno.test("runPatiently() runs nothing again when much fails", async () => {
  const names = ["a", "b", "c", "d", "e"].map((name) => `${name}_test.ts`);
  const { summary, text } = await run(Object.fromEntries(names.map((name) => [name, FAILS])));
  assertEquals(countsOf(summary), { passed: 0, failed: 5, skipped: 0, flaky: [] });
  assertEquals(text.includes("Once more"), false);
});

Deno.test("runPatiently() fails a file that ends deno test, and counts what others came to", async () => {
  const { summary, text } = await run({
    "a_test.ts": PASSES,
    "b_test.ts": ENDS_IT,
    "c_test.ts": FLAKY,
  });
  assertEquals(countsOf(summary), { passed: 2, failed: 1, skipped: 0, flaky: ["c_test.ts"] });
  assertStringIncludes(text, "deno test ended with SIGKILL, at the first test of b_test.ts");
});

Deno.test("runPatiently() loses no failure of a test that another file defines", async () => {
  const { summary } = await run({
    "a_test.ts": FLAKY,
    "b_test.ts": `import { define } from "./define.ts";\ndefine();`,
    "define.ts": `export const define = () => {\n${FAILS}\n};`,
  }, ["a_test.ts", "b_test.ts"]);
  assertEquals(countsOf(summary), { passed: 1, failed: 1, skipped: 0, flaky: ["a_test.ts"] });
  assertEquals(summary.failedFiles, ["b_test.ts"]);
});
