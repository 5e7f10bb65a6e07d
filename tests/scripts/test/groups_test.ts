import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { findGroups } from "../../../scripts/test/groups.ts";

const FILES = {
  "mod.ts": "/**\n * ```ts\n * 1;\n * ```\n */\nexport const a = 1;",
  "README.md": "```sh\nls\n```",
  "runtime/errors.ts": "/**\n * ```ts\n * 1;\n * ```\n */",
  "runtime/plain.ts": "export const b = 1;",
  "scripts/test.ts": "```ts\n```",
  "tests/e2e/plain_test.ts": "",
  "tests/e2e/run_test.ts": 'import { mp } from "../support/mp.ts";',
  "tests/e2e/task_test.ts": 'import { mp } from "../support/mp.ts";',
  "tests/executable/alone_test.ts": 'import { mp } from "../support/mp.ts";',
  "tests/executable/containers_test.ts": 'import { needsEngine } from "../support/engine.ts";',
  "tests/drivers/docker/load_test.ts": 'import { withEngine } from "./with_engine.ts";',
  "tests/drivers/docker/tar_test.ts": "",
  "tests/runtime/rpc/decode_test.ts": "",
  "tests/runtime/rpc/corpus.ts": "",
  "tests/support/mp.ts": "",
};

async function inTree(fn: (root: string) => Promise<void>) {
  const root = await Deno.makeTempDir({ prefix: "mp-groups-" });
  try {
    for (const [path, text] of Object.entries(FILES)) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    await fn(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("findGroups() sorts all tests when nothing is named", () =>
  inTree(async (root) => {
    assertEquals(await findGroups(root, []), {
      docs: ["mod.ts", "runtime/errors.ts"],
      parallel: ["tests/runtime/rpc/decode_test.ts"],
      serial: [
        "tests/drivers/docker/load_test.ts",
        "tests/drivers/docker/tar_test.ts",
        "tests/e2e/plain_test.ts",
        "tests/e2e/run_test.ts",
        "tests/e2e/task_test.ts",
      ],
      executable: ["tests/executable/alone_test.ts", "tests/executable/containers_test.ts"],
      either: ["tests/e2e/run_test.ts"],
      drivers: [
        "tests/drivers/docker/load_test.ts",
        "tests/drivers/docker/tar_test.ts",
        "tests/executable/containers_test.ts",
      ],
    });
  }));

Deno.test("findGroups() finds the tests of files and folders", () =>
  inTree(async (root) => {
    const found = (...paths: string[]) => findGroups(root, paths.map((path) => join(root, path)));
    const none = { docs: [], parallel: [], serial: [], executable: [], either: [], drivers: [] };
    const run = "tests/e2e/run_test.ts";
    assertEquals(await found(run), { ...none, serial: [run], either: [run] });
    const containers = "tests/executable/containers_test.ts";
    assertEquals(await found("tests/executable"), {
      ...none,
      executable: ["tests/executable/alone_test.ts", containers],
      drivers: [containers],
    });
    assertEquals(await found("runtime"), { ...none, docs: ["runtime/errors.ts"] });
    assertEquals(await found("mod.ts", "tests/runtime/rpc/decode_test.ts"), {
      ...none,
      docs: ["mod.ts"],
      parallel: ["tests/runtime/rpc/decode_test.ts"],
    });
    assertEquals(await found("tests/support", "nothing"), none);
  }));
