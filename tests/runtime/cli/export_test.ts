import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { commandTable } from "../../../runtime/cli/command_table.ts";
import { runProgram } from "../../../runtime/cli/program.ts";
import type { Driver } from "../../../runtime/launch/driver.ts";
import { type Scripted, scriptedDriver } from "../launch/scripted_driver.ts";
import { memoryOutput } from "./memory_output.ts";

/** A driver whose files hold what it was given. */
function exportingDriver(): Driver<Scripted> {
  return {
    ...scriptedDriver(),
    name: "files",
    export: ({ plan, book }) => [
      { path: "main.yaml", text: `app: ${plan.app}\n` },
      { path: "more/book.json", text: JSON.stringify(book.doors) },
    ],
  };
}

async function exporting(...args: string[]) {
  let written = memoryOutput();
  const status = await runProgram(["export", ...args], {
    version: "1.2.3",
    drivers: {
      scripted: () => Promise.resolve(scriptedDriver() as Driver),
      files: () => Promise.resolve(exportingDriver() as Driver),
    },
    storages: () => Promise.resolve({}),
    storageAdvice: () => Promise.resolve([]),
    commands: commandTable,
    self: { command: "mp", args: [] },
    portOwner: () => Promise.resolve(undefined),
    testModules: () => Promise.resolve({}),
    env: () => undefined,
  }, ({ json, logLevel }) => (written = memoryOutput({ json, logLevel })).output);
  return { status, stdout: written.stdout(), stderr: written.stderr() };
}

Deno.test("mp export writes what a driver renders, to stdout or to a folder", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const script = join(folder, "shop.ts");
  await Deno.writeTextFile(
    script,
    `import * as mp from "@metaparticle/mp";\nmp.service("one", () => 1, { expose: true });\nmp.serve();\n`,
  );
  try {
    const printed = await exporting(script, "--driver", "files", "--port", "81");
    assertEquals(printed, {
      status: 0,
      stdout: "app: shop\n",
      stderr: "It needs more/book.json beside it: write all with -o DIR\n",
    });
    const out = join(folder, "out");
    const written = await exporting(script, "--driver", "files", "--port", "81", "-o", out);
    assertEquals(written.stdout, `${join(out, "main.yaml")}\n${join(out, "more/book.json")}\n`);
    assertEquals(
      await Deno.readTextFile(join(out, "more/book.json")),
      `[{"node":"one","address":"tcp:127.0.0.1:81"}]`,
    );
    const blocked = await exporting(script, "--driver", "files", "-o", script);
    assertEquals(blocked.status, 1);
    assertEquals(blocked.stderr.split(": ")[1], `Cannot write to "${script}"`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("mp export refuses a driver that has nothing to export", async () => {
  const { status, stderr } = await exporting("a.ts");
  assertEquals([status, stderr.split("\n").slice(0, 2)], [2, [
    'error: Cannot export for driver "scripted": its replicas need mp',
    "  → Add --driver, one of files",
  ]]);
});
