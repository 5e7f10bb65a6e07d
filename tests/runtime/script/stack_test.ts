import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, toFileUrl } from "@std/path";
import {
  installStackMapping,
  isThrownByRuntime,
  mapPosition,
  positionOf,
} from "../../../runtime/script/stack.ts";
import { bundleOnce, environmentOf } from "./run_bundle.ts";
import { type ScriptFolder, scriptFolder } from "./script_folder.ts";

const FILES = {
  "scripts/a.ts": `import { fail } from "../lib/fail.ts";
import { pick } from "picky";
interface Unused {
  a: number;
}
export const direct = (n: number) => fail(n as number);
export async function later(): Promise<void> {
  await Promise.resolve();
  fail(1);
}
export const inPackage = () => pick(() => 1);
export const byApi = () => mp.refuse();
export const unbundled = () => missing();
import * as mp from "mp";
import { missing } from "mp";
`,
  "lib/fail.ts": `
export function fail(n: number): never {
  throw new RangeError("bad " + n);
}
`,
  "node_modules/picky/package.json": `{ "name": "picky", "version": "1.0.0" }`,
  "node_modules/picky/index.js": `exports.pick = () => { throw new Error("picky") };`,
};

interface Mapped extends AsyncDisposable {
  readonly folder: ScriptFolder;
  readonly exports: Record<string, () => unknown>;
  readonly url: string;
  readonly mapsRead: () => number;
}

/** Bundles and evaluates the script above, with its stacks mapped. */
async function mapped(): Promise<Mapped> {
  const folder = await scriptFolder(FILES);
  const { code, map, script } = await bundleOnce(folder.file("scripts/a.ts"));
  await Deno.writeTextFile(folder.file("bundle.mjs"), code);
  const url = toFileUrl(folder.file("bundle.mjs")).href;
  let reads = 0;
  const uninstall = installStackMapping({
    bundleUrl: url,
    map() {
      reads++;
      return map;
    },
    root: dirname(script),
    runtimeUrl: import.meta.url,
  });
  const { default: form } = await import(url);
  const api = {
    refuse() {
      throw new TypeError("refused");
    },
  };
  return {
    folder,
    exports: await form({ ...environmentOf(script), api }),
    url,
    mapsRead: () => reads,
    async [Symbol.asyncDispose]() {
      uninstall();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function thrownBy(run: (() => unknown) | undefined): Promise<Error> {
  try {
    await run?.();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("installStackMapping() shows the user's files in stacks, without mp's own frames", async () => {
  await using script = await mapped();
  const error = await thrownBy(script.exports.direct);
  const [head, first, second, ...rest] = error.stack!.split("\n");
  assertEquals(head, "RangeError: bad undefined");
  assertEquals(first, `    at fail (${script.folder.file("lib/fail.ts")}:3:9)`);
  assertStringIncludes(second!, `${script.folder.file("scripts/a.ts")}:6:38`);
  // what is left belongs to the test runner
  assertEquals(rest.filter((line) => !line.includes("ext:cli/")), []);
});

Deno.test("installStackMapping() maps what is thrown after an await", async () => {
  await using script = await mapped();
  const { stack } = await thrownBy(script.exports.later);
  assertStringIncludes(stack!, `${script.folder.file("scripts/a.ts")}:9:3`);
});

Deno.test("installStackMapping() reads the map once, when a stack is first read", async () => {
  await using script = await mapped();
  const error = await thrownBy(script.exports.direct);
  assertEquals(script.mapsRead(), 0);
  void error.stack;
  void (await thrownBy(script.exports.direct)).stack;
  assertEquals(script.mapsRead(), 1);
});

Deno.test("installStackMapping() leaves the stacks of other code alone", async () => {
  const plain = new Error("plain").stack!.split("\n");
  await using _script = await mapped();
  const [head, first] = new Error("plain").stack!.split("\n");
  assertEquals(head, plain[0]);
  assertEquals(first!.replace(/:\d+:\d+/, ""), plain[1]!.replace(/:\d+:\d+/, ""));
});

Deno.test("installStackMapping() lets packages read call sites in their own way", async () => {
  await using _script = await mapped();
  const host = Error as unknown as { prepareStackTrace?: unknown };
  const before = host.prepareStackTrace;
  host.prepareStackTrace = (_: Error, sites: unknown[]) => sites.length > 0;
  assertEquals(new Error().stack as unknown, true);
  host.prepareStackTrace = before;
  assertStringIncludes(new Error("again").stack!, "Error: again\n    at ");
});

Deno.test("installStackMapping() gives way to what was there when it is taken back", async () => {
  const host = Error as unknown as { prepareStackTrace?: unknown };
  const before = host.prepareStackTrace;
  host.prepareStackTrace = () => "mine";
  {
    await using script = await mapped();
    assertEquals(new Error().stack, "mine");
    const { stack } = await thrownBy(script.exports.direct);
    assertStringIncludes(stack!, "lib/fail.ts:3:9");
  }
  assertEquals(new Error().stack, "mine");
  host.prepareStackTrace = before;
});

Deno.test("positionOf() tells where an error was thrown, in the script rather than in a package", async () => {
  await using script = await mapped();
  const { folder, exports } = script;
  const direct = await thrownBy(exports.direct);
  assertEquals(positionOf(direct), { file: folder.file("lib/fail.ts"), line: 3, column: 9 });
  const picky = await thrownBy(exports.inPackage);
  assertEquals(positionOf(picky), { file: folder.file("scripts/a.ts"), line: 11, column: 32 });
  assertEquals(positionOf(new Error("elsewhere")), undefined);
  assertEquals(positionOf("no error"), undefined);
});

Deno.test("isThrownByRuntime() tells errors of the API from those of the script", async () => {
  await using script = await mapped();
  const refused = await thrownBy(script.exports.byApi);
  assertEquals(isThrownByRuntime(refused), true);
  assertEquals(positionOf(refused)?.line, 12);
  assertEquals(isThrownByRuntime(await thrownBy(script.exports.direct)), false);
});

Deno.test("installStackMapping() names imports as the script does", async () => {
  await using script = await mapped();
  const { stack } = await thrownBy(script.exports.unbundled);
  assertStringIncludes(stack!, "TypeError: missing is not a function\n");
});

Deno.test("mapPosition() maps a place in a bundle", async () => {
  await using script = await mapped();
  const code = await Deno.readTextFile(script.folder.file("bundle.mjs"));
  const lines = code.split("\n");
  const line = lines.findIndex((text) => text.includes("throw new RangeError"));
  assertEquals(
    mapPosition(script.url, line + 1, lines[line]!.indexOf("new") + 1),
    { file: script.folder.file("lib/fail.ts"), line: 3, column: 9 },
  );
  assertEquals(mapPosition(script.url, 1, 1), undefined);
  assertEquals(mapPosition("file:///other.mjs", 1, 1), undefined);
});
