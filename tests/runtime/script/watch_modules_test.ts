import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { builtinModules } from "node:module";
import { promisify } from "node:util";
import { nodeBuiltin } from "../../../runtime/script/instance.ts";
import { watchModules } from "../../../runtime/script/watch_modules.ts";

/** The modules of a script, and what they have told. */
function watched(refused = false) {
  const effects: string[] = [];
  const builtin = watchModules(nodeBuiltin, (effect) => {
    effects.push(effect);
    if (refused) throw new Error(`no ${effect}`);
  });
  return {
    effects,
    fs: builtin("fs") as typeof import("node:fs"),
    promises: builtin("node:fs/promises") as typeof import("node:fs/promises"),
    child: builtin("child_process") as typeof import("node:child_process"),
    http: builtin("http") as typeof import("node:http"),
    net: builtin("net") as typeof import("node:net"),
    builtin,
  };
}

Deno.test("watchModules() tells of what cannot be undone, and does it", async () => {
  const { effects, fs, promises, child } = watched();
  const folder = fs.mkdtempSync(`${Deno.makeTempDirSync()}/mp-`);
  await promises.writeFile(`${folder}/a`, "text");
  await fs.promises.rename(`${folder}/a`, `${folder}/b`);
  await promisify(fs.appendFile)(`${folder}/b`, " and more");
  fs.closeSync(fs.openSync(`${folder}/c`, constants.O_CREAT | constants.O_WRONLY));
  assertEquals(fs.readdirSync(folder), ["b", "c"]);
  assertEquals(fs.readFileSync(`${folder}/b`, "utf8"), "text and more");
  const said = child.execFileSync(Deno.execPath(), ["--version"], { env: {} });
  assert(Buffer.from(said).toString().startsWith("deno"));
  fs.rmSync(folder, { recursive: true });
  assertEquals(effects, [
    "a call of fs.mkdtempSync()",
    "a call of fs.promises.writeFile()",
    "a call of fs.promises.rename()",
    "a call of fs.appendFile()",
    "a call of fs.openSync()",
    "a call of child_process.execFileSync()",
    "a call of fs.rmSync()",
  ]);
});

Deno.test("watchModules() tells nothing of what only looks", async () => {
  const { effects, fs, promises, http, builtin } = watched(true);
  const own = new URL(import.meta.url);
  assert((await promises.readFile(own, "utf8")).includes("only looks"));
  for (const flags of ["r", "rs", constants.O_RDONLY]) fs.closeSync(fs.openSync(own, flags));
  assert(fs.existsSync(own) && fs.statSync(own).size > 0 && fs.constants === constants);
  assertEquals(http.STATUS_CODES[404], "Not Found");
  const path = builtin("path") as typeof import("node:path");
  assertEquals(path.join("a", "b"), "a/b");
  assertEquals(effects, []);
});

Deno.test("watchModules() lets nothing happen that is refused", async () => {
  const { fs, promises, child, http, net } = watched(true);
  await assertRejects(
    () => promises.writeFile("/nowhere/a", ""),
    Error,
    "no a call of fs.promises",
  );
  await assertRejects(() => promises.open("/nowhere/a", "a+"), Error, "no a call of fs.promises");
  assertThrows(() => fs.writeFileSync("/nowhere/a", ""), Error, "no a call of fs.writeFileSync()");
  assertThrows(() => fs.createWriteStream("/nowhere/a"), Error, "no a call of");
  assertThrows(() => fs.open("/nowhere/a", "w", () => {}), Error, "no a call of fs.open()");
  assertThrows(() => child.spawn("nothing"), Error, "no a call of child_process.spawn()");
  assertThrows(() => promisify(child.exec)("nothing"), Error, "no a call of child_process.exec");
  assertThrows(() => http.request("http://127.0.0.1:1"), Error, "no a call of http.request()");
  assertThrows(() => net.connect(1), Error, "no a call of net.connect()");
});

Deno.test("watchModules() leaves names what they are, and what a script puts in their place", () => {
  const { effects, fs, promises } = watched(true);
  assertEquals([fs.writeFile.name, fs.writeFile.length], ["writeFile", 4]);
  assert(fs.writeFile === fs.writeFile && fs.promises === promises);
  assert(Object.keys(fs).includes("writeFile") && "watch" in fs);
  const { writeFileSync } = fs;
  try {
    const mine = () => {};
    fs.writeFileSync = mine;
    assertEquals(fs.writeFileSync, mine);
    fs.writeFileSync("/nowhere/a", "");
    assertEquals(effects, []);
  } finally {
    (nodeBuiltin("fs") as typeof fs).writeFileSync = writeFileSync;
  }
});

Deno.test("watchModules() gives every module of Node, with all its members", () => {
  const { builtin } = watched(true);
  for (const name of builtinModules) {
    const own = process.getBuiltinModule(name) as Record<string, unknown> | undefined;
    if (own === undefined) continue;
    const given = builtin(name) as Record<string, unknown>;
    for (const member of Object.keys(own)) assertEquals(typeof given[member], typeof own[member]);
  }
});
