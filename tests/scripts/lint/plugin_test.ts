import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import plugin from "../../../scripts/lint/plugin.ts";

/** What the project's rules say of a file, were it in the tree. */
function lint(path: string, source: string): string[] {
  const file = new URL(`../../../${path}`, import.meta.url).pathname;
  return Deno.lint.runPlugin(plugin, file, source).map(({ id, message }) => `${id}: ${message}`);
}

/** Asserts that the only problem of a file is that of one import. */
function assertRefuses(path: string, source: string, wrong: string) {
  const problems = lint(path, source);
  assertEquals(problems.length, 1, `${path}: ${source} gave ${JSON.stringify(problems)}`);
  assertStringIncludes(problems[0]!, wrong);
}

Deno.test("mp/layers allows what each layer stands on", () => {
  const allowed = {
    "runtime/rpc/decode.ts": `
      import { MpError } from "../errors.ts";
      import { Hono } from "hono";
      import { parseArgs } from "@std/cli/parse-args";
      import { AsyncLocalStorage } from "node:async_hooks";
      const metrics = await import("prom-client");`,
    "patterns/scatter.ts": `import type { Part } from "../runtime/topology/target.ts";`,
    "drivers/process/driver.ts": `
      import type { Driver } from "../../runtime/launch/driver.ts";
      import { render } from "./manifest.ts";
      import { Redis } from "redis";`,
    "mod.ts":
      `export { scatter } from "./patterns/scatter.ts"; export * from "./runtime/errors.ts";`,
    "main.ts": `import { processDriver } from "./drivers/process/driver.ts"; import "./mod.ts";
      import config from "./deno.json" with { type: "json" };`,
    "examples/search/topology.ts": `
      import * as mp from "@metaparticle/mp";
      import { start } from "@metaparticle/mp/testing";
      import { rank } from "./rank.ts";`,
    "tests/runtime/rpc/decode_test.ts": `import { decode } from "../../../runtime/rpc/decode.ts";`,
    "scripts/bench/main.ts": `import "../../drivers/process/driver.ts";`,
  };
  for (const [path, source] of Object.entries(allowed)) assertEquals(lint(path, source), [], path);
});

Deno.test("mp/layers refuses a wrong direction in every form of an import", () => {
  const forms = [
    `import { processDriver } from "../../drivers/process/driver.ts";`,
    `import type { ProcessDriver } from "../../drivers/process/driver.ts";`,
    `import "../../drivers/process/driver.ts";`,
    `export { processDriver } from "../../drivers/process/driver.ts";`,
    `export * from "../../drivers/process/driver.ts";`,
    `const driver = await import("../../drivers/process/driver.ts");`,
    `let driver: import("../../drivers/process/driver.ts").ProcessDriver;`,
    `const driver = require("../../drivers/process/driver.ts");`,
  ];
  for (const form of forms) {
    assertRefuses(
      "runtime/cli/run.ts",
      form,
      `mp/layers: Cannot import "../../drivers/process/driver.ts" from runtime/cli/run.ts: ` +
        "runtime may not import drivers, only deno.json, runtime",
    );
  }
});

Deno.test("mp/layers keeps each layer to its directions", () => {
  const wrong = "mp/layers: Cannot import";
  assertRefuses("runtime/topology/api.ts", `import "../../patterns/scatter.ts";`, wrong);
  assertRefuses("runtime/topology/api.ts", `import "../../mod.ts";`, wrong);
  assertRefuses("runtime/topology/api.ts", `import "@metaparticle/mp";`, wrong);
  assertRefuses("runtime/topology/api.ts", `import "../../tests/support/mp.ts";`, wrong);
  assertRefuses("patterns/scatter.ts", `import "../drivers/process/driver.ts";`, wrong);
  assertRefuses("patterns/scatter.ts", `import "node:fs";`, "Node's built-in modules");
  assertRefuses("patterns/scatter.ts", `import "hono";`, "patterns may not import packages");
  assertRefuses("drivers/docker/driver.ts", `import "../../patterns/scatter.ts";`, wrong);
  assertRefuses(
    "drivers/docker/driver.ts",
    `import "../process/driver.ts";`,
    "drivers/docker/ may not import drivers/process/",
  );
  assertRefuses("mod.ts", `import "./drivers/storage/memory.ts";`, "only patterns, runtime");
  assertRefuses("main.ts", `import "./scripts/compile.ts";`, wrong);
  assertRefuses("examples/hello.ts", `import { service } from "../mod.ts";`, wrong);
  assertRefuses("examples/hello.ts", `import "hono";`, "examples may import no packages but");
});

Deno.test("mp/layers refuses packages that a layer has not been given", () => {
  assertRefuses("runtime/rpc/app.ts", `import "redis";`, "runtime may import no packages but hono");
  assertRefuses("runtime/rpc/app.ts", `import "honoured";`, "runtime may import no packages");
});

Deno.test("mp/layers refuses packages by any name but the import map's", () => {
  for (const specifier of ["npm:hono@4", "jsr:@std/assert@1", "https://deno.land/x/mod.ts"]) {
    assertRefuses("runtime/rpc/app.ts", `import "${specifier}";`, "import map of deno.json");
  }
});

Deno.test("mp/layers refuses files that no layer has", () => {
  assertRefuses("server/app.ts", `import "node:fs";`, "server/app.ts is in no layer");
  assertRefuses("main.ts", `import "./server/app.ts";`, "server/app.ts is in no layer");
});

Deno.test("mp/layers says where what it refuses belongs", () => {
  const file = new URL("../../../runtime/cli/run.ts", import.meta.url).pathname;
  const [found] = Deno.lint.runPlugin(plugin, file, `import "../../drivers/process/driver.ts";`);
  assertStringIncludes(found!.hint!, "join the two in main.ts");
});

Deno.test("mp/contracts refuses values in contracts", () => {
  const doc = "/**\n * The plan. Types only.\n *\n * @module\n */\n";
  assertEquals(
    lint(
      "runtime/plan/plan.ts",
      `${doc}import type { A } from "./a.ts"; export interface B { a: A } export type { A };`,
    ),
    [],
  );
  assertRefuses(
    "runtime/plan/plan.ts",
    `import { a } from "./a.ts";`,
    "mp/contracts: Cannot import",
  );
  assertRefuses("runtime/plan/plan.ts", `import { type A } from "./a.ts";`, "mp/contracts");
  assertRefuses("runtime/plan/plan.ts", `export { a } from "./a.ts";`, "mp/contracts");
  assertRefuses("runtime/storage/storage.ts", `${doc}import { a } from "./a.ts";`, "mp/contracts");
  assertRefuses("runtime/storage/storage.ts", `${doc}export const a = 1;`, "Cannot export a value");
  assertRefuses("runtime/storage/storage.ts", `${doc}export enum A { B }`, "Cannot export a value");
  assertEquals(lint("runtime/storage/storage.ts", `import { a } from "./a.ts";`), []);
});

Deno.test("mp/file-name refuses names that are not snake_case or say nothing", () => {
  for (
    const path of [
      "runtime/rpc/utils.ts",
      "runtime/rpc/rpc_helpers.ts",
      "runtime/types.ts",
      "runtime/common/errors.ts",
      "runtime/rpc/decodeBody.ts",
      "runtime/rpc/decode-body.ts",
      "runtime/Rpc/decode.ts",
    ]
  ) assertRefuses(path, "export const a = 1;", `mp/file-name: Cannot keep the file "${path}"`);
  for (const path of ["runtime/rpc/decode_body.ts", "tests/patterns/scatter_types_test.ts"]) {
    assertEquals(lint(path, "export const a = 1;"), []);
  }
});

Deno.test("mp/no-default-export refuses default exports", () => {
  assertRefuses("runtime/rpc/app.ts", "export default 1;", "mp/no-default-export");
  assertRefuses("runtime/rpc/app.ts", "export default function app() {}", "mp/no-default-export");
  assertRefuses(
    "runtime/rpc/app.ts",
    "const a = 1; export { a as default };",
    "mp/no-default-export",
  );
});

Deno.test("deno.json runs the plugin", async () => {
  const text = await Deno.readTextFile(new URL("../../../deno.json", import.meta.url));
  assert(JSON.parse(text).lint.plugins.includes("./scripts/lint/plugin.ts"));
});
