/**
 * The files of a new project. Pure.
 *
 * @module
 */

import { PUBLIC_IMPORTS, TYPES } from "./write_project_files.ts";

const TOPOLOGY = `import * as mp from "@metaparticle/mp";

/** Runs on each of the leaves: adds every fourth of the numbers up to \`n\`, beginning with its own. */
function leaf(n: number, { replica }: mp.Context): number {
  let sum = 0;
  for (let number = replica.index; number <= n; number += replica.count) {
    sum += number;
  }
  return sum;
}

/** Runs once for each request, when all leaves have answered. */
function gather(parts: number[]): number {
  return parts.reduce((sum, part) => sum + part, 0);
}

mp.service("sum", mp.scatter({ replicas: 4, leaf, gather, expose: true }));
mp.serve();
`;

const TEST = `import { assertOnlyExposed, planOf, start } from "@metaparticle/mp/testing";

const topology = import.meta.resolve("./topology.ts");

function equal(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(\`\${actual} is not \${expected}\`);
}

Deno.test("sum adds all numbers, however many leaves there are", async () => {
  for (const leaves of [1, 4, 7]) {
    const replicas = { "sum.scatter": leaves };
    await using app = await start(topology, { replicas });
    equal(await app.call("sum", 100), 5050);
  }
});

Deno.test("nothing but the gather can be called from outside", async () => {
  assertOnlyExposed(await planOf(topology), "sum.gather");
});
`;

const IGNORED = `# what mp can make again: mp types\n.mp/\n`;

/** How TypeScript understands scripts as Deno does. */
export const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  target: "esnext",
  module: "esnext",
  moduleResolution: "bundler",
  moduleDetection: "force",
  allowImportingTsExtensions: true,
  lib: ["esnext"],
  types: [],
  skipLibCheck: true,
};

/** For the editors and compilers of people who have no Deno. */
const TSCONFIG = {
  compilerOptions: COMPILER_OPTIONS,
  include: ["**/*.ts", `${TYPES}/*.d.ts`],
};

/** For people who have Deno. */
const DENO = {
  imports: PUBLIC_IMPORTS,
  // Deno reads the tsconfig.json too, and knows its own types
  compilerOptions: { strict: true, lib: ["deno.window"], types: [] },
  exclude: [".mp/"],
  unstable: ["net"],
};

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** The files of a new project, by name. */
export const STARTER_FILES: Readonly<Record<string, string>> = {
  "topology.ts": TOPOLOGY,
  "topology_test.ts": TEST,
  "deno.json": json(DENO),
  "tsconfig.json": json(TSCONFIG),
  ".gitignore": IGNORED,
};
