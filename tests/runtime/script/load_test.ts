import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { dirname } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { replicaCommand, servingHalf } from "../../../runtime/launch/serving_half.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import { stopBundler } from "../../../runtime/script/bundle.ts";
import {
  type Loaded,
  type LoaderOptions,
  type LoadRequest,
  loadScript,
  type Program,
  startLoader,
} from "../../../runtime/script/load.ts";
import { leftRunning } from "../../support/left_running.ts";
import { bundleOnce } from "./run_bundle.ts";
import { type ScriptFolder, scriptFolder } from "./script_folder.ts";

let cache: string;
let entry: string;

Deno.test.beforeAll(async () => {
  cache = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-load-test-" }));
  entry = (await servingHalf({ caches: [cache] })).entry;
  await stopBundler();
});

Deno.test.afterAll(async () => {
  await Deno.remove(cache, { recursive: true });
});

interface Case {
  readonly folder: ScriptFolder;
  readonly request: LoadRequest;
  readonly output: { stdout: string; stderr: string };
  readonly options: LoaderOptions;
}

/** Bundles a script in a folder of its own, ready to be loaded. */
async function prepare(
  text: string,
  { name = "a.ts", ...options }: Partial<LoaderOptions> & { name?: string } = {},
): Promise<Case> {
  const folder = await scriptFolder({ [name]: text });
  const { code, map, hash, script, mayServe } = await bundleOnce(folder.file(name));
  await folder.write({ "out/bundle.mjs": code, "out/bundle.map": map });
  const output = { stdout: "", stderr: "" };
  return {
    folder,
    output,
    request: {
      bundle: folder.file("out/bundle.mjs"),
      sourceMap: folder.file("out/bundle.map"),
      script,
      hash,
      mayServe,
    },
    options: {
      command: replicaCommand(entry),
      onOutput: (stream, bytes) => output[stream] += new TextDecoder().decode(bytes),
      ...options,
    },
  };
}

async function load(text: string, options: Parameters<typeof prepare>[1] = {}): Promise<Loaded> {
  const { folder, request, options: all } = await prepare(text, options);
  await using _folder = folder;
  return await loadScript(request, all);
}

async function planOf(text: string, options: Parameters<typeof prepare>[1] = {}): Promise<Plan> {
  const loaded = await load(text, options);
  assert(loaded.kind === "topology");
  return loaded.plan;
}

interface Failure {
  readonly error: MpError;
  readonly output: Case["output"];
}

/** The error of a script that cannot be loaded, with paths as if the script's folder were the working folder. */
async function failureOf(
  text: string,
  options: Parameters<typeof prepare>[1] = {},
): Promise<Failure> {
  const { folder, request, options: all, output } = await prepare(text, options);
  await using _folder = folder;
  const thrown = await assertRejects(() => loadScript(request, all), MpError);
  const strip = (text?: string) => text?.replaceAll(`${folder.path}/`, "");
  const { code, message, where, next } = thrown;
  const cause = thrown.cause instanceof Error ? strip(thrown.cause.stack) : undefined;
  const error = new MpError(code, strip(message)!, { where: strip(where), next, cause });
  assertEquals(await leftRunning(cache), []);
  return { error, output };
}

async function programOf(
  text: string,
  options: Parameters<typeof prepare>[1] = {},
): Promise<{ program: Program; status: Deno.CommandStatus; output: Case["output"] }> {
  const { folder, request, options: all, output } = await prepare(text, options);
  await using _folder = folder;
  const loaded = await loadScript(request, all);
  assert(loaded.kind === "program");
  const status = await loaded.program.status;
  assertEquals(await leftRunning(cache), []);
  return { program: loaded.program, status, output };
}

const SERVICE = `import * as mp from "@metaparticle/mp";\nmp.service("hello", () => 1);\n`;

Deno.test("loadScript() gives the plan of a topology, and drops what it prints", async () => {
  const { folder, request, options, output } = await prepare(
    `import * as mp from "@metaparticle/mp";
     console.log("noise");
     const svc = mp.service("hist", mp.scatter(3, () => 1, (parts: number[]) => parts.length));
     svc.subservices.gather.expose = true;
     mp.serve();`,
    { name: "shop.ts" },
  );
  await using _folder = folder;
  const loaded = await loadScript({ ...request, widths: { "hist.scatter": 5 } }, options);
  assert(loaded.kind === "topology");
  assertEquals(loaded.plan.app, "shop");
  assertEquals(loaded.plan.bundle, request.hash);
  assertEquals(loaded.plan.nodes.map(({ path, replicas }) => [path, replicas]), [
    ["hist.gather", 1],
    ["hist.scatter", 5],
  ]);
  assertEquals(output, { stdout: "", stderr: "" });
  assertEquals(await leftRunning(cache), []);
});

Deno.test("loadScript() takes the original's kind of script, in CommonJS", async () => {
  const plan = await planOf(
    `var mp = require('metaparticle');
     var service = mp.service("simple-service", function (request) { return { "request-was": request }; });
     service.expose = true;
     mp.serve();`,
    { name: "server1.js" },
  );
  assertEquals(plan.app, "server1");
  assertEquals(plan.doors.map(({ node }) => node), ["simple-service"]);
});

Deno.test("loadScript() prefers --name to the script's own name", async () => {
  const script = `${SERVICE}mp.app("own");`;
  assertEquals((await planOf(script)).app, "own");
  const { folder, request, options } = await prepare(script);
  await using _folder = folder;
  const loaded = await loadScript({ ...request, name: "given" }, options);
  assert(loaded.kind === "topology");
  assertEquals(loaded.plan.app, "given");
  const error = await assertRejects(
    () => loadScript({ ...request, name: "Not A Label" }, options),
    MpError,
  );
  assertEquals(error.code, "usage");
});

Deno.test("loadScript() refuses counts for paths that are not there", async () => {
  const { folder, request, options } = await prepare(SERVICE);
  await using _folder = folder;
  const error = await assertRejects(
    () => loadScript({ ...request, widths: { nothing: 2 } }, options),
    MpError,
    `Cannot set the replicas of "nothing": there is no such path`,
  );
  assertEquals(error.code, "usage");
});

Deno.test("loadScript() tells where a script throws at its top level, and shows what it printed", async () => {
  const { error, output } = await failureOf(`${SERVICE}console.log("before");
function deep(): never { throw new TypeError("boom", { cause: new Error("why") }); }
deep();`);
  assertEquals(error.code, "script_failed");
  assertEquals(error.message, `Cannot load "a.ts": TypeError: boom`);
  assertEquals(error.where, "a.ts:4:32");
  assertEquals(output, { stdout: "before\n", stderr: "" });
  assertStringIncludes(String(error.cause), "at deep (a.ts:4:32)\n    at a.ts:5:1");
  assertStringIncludes(String(error.cause), "Caused by: Error: why");
});

Deno.test("loadScript() tells what was thrown that is no error", async () => {
  const { error } = await failureOf(`${SERVICE}throw { status: 7 };`);
  assertEquals(error.message, `Cannot load "a.ts": { status: 7 } was thrown`);
  assertEquals(error.where, "a.ts");
});

Deno.test("loadScript() names the variable that is wrong, and not the script", async () => {
  const { error } = await failureOf(`${SERVICE}mp.setStorage("file");`, {
    env: { MP_STORAGE: "redis://h:99999" },
  });
  assertEquals([error.code, error.where], ["usage", "MP_STORAGE"]);
});

Deno.test("loadScript() tells of promises that are rejected, awaited or not", async () => {
  const awaited = await failureOf(`${SERVICE}await Promise.reject(new Error("late"));`);
  assertEquals(awaited.error.message, `Cannot load "a.ts": late`);
  assertEquals(awaited.error.where, "a.ts:3:22");
  const forgotten = await failureOf(`${SERVICE}Promise.reject(new Error("late"));\nmp.serve();`);
  assertEquals(forgotten.error.code, "script_failed");
  assertEquals(
    forgotten.error.message,
    `Cannot load "a.ts": a promise was rejected and nobody caught it: late`,
  );
  assertEquals(forgotten.error.where, "a.ts:3:16");
});

Deno.test("loadScript() lets a script deal with its rejections itself", async () => {
  const web = `addEventListener("unhandledrejection", (event) => event.preventDefault());`;
  const node = `process.on("unhandledRejection", () => {});`;
  for (const listen of [web, node]) {
    const plan = await planOf(`${SERVICE}${listen}\nPromise.reject(new Error("expected"));`);
    assertEquals(plan.nodes.length, 1);
  }
});

Deno.test("loadScript() tells of an error that is thrown while a script waits", async () => {
  const { error } = await failureOf(`${SERVICE}setTimeout(() => { throw new Error("tick"); }, 1);
await new Promise((resolve) => setTimeout(resolve, 60_000));`);
  assertEquals(error.code, "script_failed");
  assertEquals(
    error.message,
    `Cannot load "a.ts": an error was thrown and nobody caught it: tick`,
  );
  assertEquals(error.where, "a.ts:3:26");
});

Deno.test("loadScript() tells where a topology ends its process", async () => {
  const deno = await failureOf(`${SERVICE}Deno.exit(0);`);
  assertEquals(deno.error.code, "script_failed");
  assertEquals(deno.error.message, `Cannot load "a.ts": it calls Deno.exit(0) at its top level`);
  assertEquals(deno.error.where, "a.ts:3:6");
  const node = await failureOf(
    `const mp = require("metaparticle");\nmp.service("a", () => 1);\nprocess.exit(4);`,
    { name: "a.js" },
  );
  assertEquals(node.error.message, `Cannot load "a.js": it calls process.exit(4) at its top level`);
  assertEquals(node.error.where, "a.js:3:9");
});

Deno.test("loadScript() kills a script that computes for longer than its time", async () => {
  const { error, output } = await failureOf(`${SERVICE}console.log("in");\nfor (;;);`, {
    timeLimit: 400,
  });
  assertEquals(error.code, "script_timeout");
  assertEquals(error.message, `Cannot load "a.ts": its top level still computes after 400 ms`);
  assertEquals(error.where, "a.ts");
  assertEquals(output.stdout, "in\n");
});

Deno.test("loadScript() holds little of what an endless loop prints", async () => {
  const { error, output } = await failureOf(
    `${SERVICE}for (let n = 0;; n++) console.log("line", n, "x".repeat(1000));`,
    { timeLimit: 800 },
  );
  assertEquals(error.code, "script_timeout");
  assert(output.stdout.length <= 1024 * 1024 + 65536, `${output.stdout.length}`);
});

Deno.test("loadScript() kills a script that waits for longer than its time", async () => {
  const { error } = await failureOf(
    `${SERVICE}await new Promise((resolve) => setTimeout(resolve, 60_000));`,
    { timeLimit: 400 },
  );
  assertEquals(error.code, "script_timeout");
  assertEquals(error.message, `Cannot load "a.ts": its top level still waits after 400 ms`);
});

Deno.test("loadScript() tells at once of a script that waits for what never comes", async () => {
  const { error } = await failureOf(`${SERVICE}await new Promise(() => {});`);
  assertEquals(error.code, "script_failed");
  assertEquals(
    error.message,
    `Cannot load "a.ts": its top level waits for something that never comes`,
  );
});

Deno.test("loadScript() gives errors of the API the script's line", async () => {
  const name = await failureOf(`${SERVICE}mp.service("Hello World", () => 1);`);
  assertEquals(name.error.code, "topology_invalid");
  assertStringIncludes(name.error.message, `Cannot make service "Hello World": `);
  assertEquals(name.error.where, "a.ts:3:4");
  assertMatch(name.error.next!, /^Use 1 to 63/);

  const clash = await failureOf(`${SERVICE}mp.service("hello", () => 2);`);
  assertEquals(clash.error.message, `Cannot make service "hello": the name is taken`);
  assertEquals(clash.error.where, "a.ts:3:4");

  for (const call of ["mp.scatter(0, () => 1, (x) => x)", "mp.shard(2.5, () => 1, () => 1)"]) {
    const { error } = await failureOf(`${SERVICE}mp.service("b",\n  ${call});`);
    assertEquals(error.code, "topology_invalid");
    assertEquals(error.where, "a.ts:4:6", error.message);
  }
  const later = await failureOf(
    `${SERVICE}async function f() { await null; mp.app("No No"); }\nf();`,
  );
  assertEquals(later.error.code, "topology_invalid");
  assertEquals(later.error.where, "a.ts:3:37");
});

Deno.test("loadScript() names what a script imports from the API and what is not there", async () => {
  const { error } = await failureOf(
    `import { scattr, service } from "@metaparticle/mp";\nservice("a", scattr(1));`,
  );
  assertEquals(error.message, `Cannot load "a.ts": TypeError: scattr is not a function`);
  assertEquals(error.where, "a.ts:2:14");
});

Deno.test("loadScript() tells of calls that cannot be answered while a script is loaded", async () => {
  const { error } = await failureOf(
    `import * as mp from "mp";\nconst a = mp.service("a", () => 1);\nawait a.call();`,
  );
  assertEquals(error.code, "replica_unreachable");
  assertEquals(error.message, `Cannot call "a": nothing is deployed yet`);
  assertEquals(error.where, "a.ts:3:9");
});

Deno.test("loadScript() tells how the process of a script died", async () => {
  const killed = await failureOf(
    `${SERVICE}Deno.kill(Deno.pid, "SIGKILL");\nawait new Promise(() => setTimeout(() => {}, 60_000));`,
  );
  assertEquals(killed.error.code, "script_failed");
  assertEquals(
    killed.error.message,
    `Cannot load "a.ts": its process was killed by SIGKILL at its top level`,
  );
  const { command, args } = replicaCommand(entry);
  const [run, ...rest] = args;
  const memory = await failureOf(
    `${SERVICE}const all: unknown[] = [];\nfor (;;) all.push(new Array(1000).fill({ a: 1 }));`,
    { command: { command, args: [run!, "--v8-flags=--max-old-space-size=60", ...rest] } },
  );
  assertEquals(memory.error.message, `Cannot load "a.ts": it ran out of memory`);
});

Deno.test("loadScript() takes what the bundler lets pass and V8 does not", async () => {
  const { error } = await failureOf(`${SERVICE}export const r = /(?<a>x)(?<a>y)/;`);
  assertEquals(error.code, "script_failed");
  assertStringIncludes(
    error.message,
    `Cannot load "a.ts": SyntaxError: Invalid regular expression`,
  );
});

Deno.test("loadScript() tells that the child cannot be started", async () => {
  const missing = replicaCommand("/nowhere/replica.js");
  const { error } = await failureOf(SERVICE, { command: missing });
  assertEquals(error.code, "launch_failed");
  assertStringIncludes(error.message, `Cannot start the process that loads "a.ts": `);
});

Deno.test("loadScript() runs a script that makes no service as a program", async () => {
  const { status, output } = await programOf(
    `import { platform } from "node:os";
     console.log(Deno.args, process.argv[1]!.endsWith("a.ts"), platform() !== "");
     console.log(Deno.env.get("GIVEN"), Deno.env.has("MP_ROLE"), Deno.env.has("MP_SECRET"));
     await new Promise((resolve) => setTimeout(resolve, 20));
     console.error("later");
     Deno.exitCode = 5;`,
    { args: ["x", "--y"], env: { GIVEN: "given" } },
  );
  assertEquals(status.code, 5);
  assertEquals(output.stdout, `[ "x", "--y" ] true true\ngiven false false\n`);
  assertEquals(output.stderr, "later\n");
});

Deno.test("loadScript() runs a script that could have made a service as a program, too", async () => {
  const { status, output } = await programOf(
    `import * as mp from "mp";
     if (Deno.args.length > 9) mp.service("never", () => 1);
     console.log("first");
     setTimeout(() => { console.log("second"); Deno.exit(3); }, 10);`,
  );
  assertEquals(status.code, 3);
  assertEquals(output.stdout, "first\nsecond\n");
});

Deno.test("loadScript() takes an early end without services for a program's", async () => {
  const { status, output } = await programOf(
    `import * as mp from "mp";
     if (!Deno.env.has("CORPUS_OF_NOBODY")) { console.error("set CORPUS"); Deno.exit(2); }
     mp.service("never", () => 1);`,
  );
  assertEquals(status.code, 2);
  assertEquals(output.stderr, "set CORPUS\n");
});

Deno.test("loadScript() gives a program no time limit", async () => {
  const waits = `await new Promise((resolve) => setTimeout(resolve, 1700));`;
  const computes = `const since = Date.now(); while (Date.now() - since < 1700);`;
  for (const text of [waits, computes]) {
    const { status } = await programOf(text, { timeLimit: 1500 });
    assertEquals(status.code, 0);
  }
});

Deno.test("loadScript() shows a program's uncaught errors with the user's lines", async () => {
  const thrown = await programOf(`const f = () => { throw new Error("oops"); };\nf();`);
  assertEquals(thrown.status.code, 1);
  assertMatch(thrown.output.stderr, /^error: Uncaught Error: oops\n {4}at f \(.*\/a\.ts:1:25\)/);
  const late = await programOf(
    `import * as mp from "mp";
if (Deno.args.length > 9) mp.service("never", () => 1);
setTimeout(() => { Promise.reject(new Error("oops")); }, 20);`,
  );
  assertEquals(late.status.code, 1);
  assertMatch(late.output.stderr, /^error: Uncaught \(in promise\) Error: oops\n.*\/a\.ts:3:35/);
  const stuck = await programOf(`await new Promise(() => {});`);
  assertEquals(stuck.status.code, 1);
  assertStringIncludes(stuck.output.stderr, "waits for something that never comes");
});

Deno.test("loadScript() kills its child when its signal aborts", async () => {
  const controller = new AbortController();
  const { folder, request, options } = await prepare(`${SERVICE}for (;;);`);
  await using _folder = folder;
  const loading = loadScript(request, { ...options, signal: controller.signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => loading, Error, "enough");
  assertEquals(await leftRunning(cache), []);
  await assertRejects(
    () => loadScript(request, { ...options, signal: AbortSignal.abort(new Error("before")) }),
    Error,
    "before",
  );
});

Deno.test("loadScript() leaves it to the caller to end a program", async () => {
  const controller = new AbortController();
  const { folder, request, options } = await prepare(
    `process.on("SIGTERM", () => { console.log("bye"); Deno.exit(7); });
     console.log("up");
     setInterval(() => {}, 1e6);`,
  );
  await using _folder = folder;
  const up = Promise.withResolvers<void>();
  let printed = "";
  const loaded = await loadScript(request, {
    ...options,
    signal: controller.signal,
    onOutput(_, bytes) {
      printed += new TextDecoder().decode(bytes);
      up.resolve();
    },
  });
  assert(loaded.kind === "program");
  await up.promise;
  controller.abort();
  loaded.program.kill("SIGTERM");
  assertEquals((await loaded.program.status).code, 7);
  assertEquals(printed, "up\nbye\n");
  loaded.program.kill("SIGTERM"); // has no effect any more
});

Deno.test("startLoader() ends a child that is never needed, and leaves no files", async () => {
  // other tests have such folders at the same time
  const folders = () =>
    [...Deno.readDirSync(dirname(cache))].map(({ name }) => name)
      .filter((name) => /^mp-load-[^t]/.test(name));
  const before = folders();
  let during: string[];
  {
    await using _loader = startLoader({ command: replicaCommand(entry) });
    during = folders().filter((name) => !before.includes(name));
  }
  assertEquals(await leftRunning(cache), []);
  const after = folders();
  assert(during.some((name) => !after.includes(name)), during.join());
});

Deno.test({
  name: "loadScript() does not wait for processes that a program leaves behind",
  ignore: Deno.build.os === "windows",
  // Deno cannot cancel a read of a pipe: it goes on until the last process that holds the pipe ends. This is the
  // last test here, for another would be blamed for it
  sanitizeOps: false,
  async fn() {
    const { status, output } = await programOf(
      `new Deno.Command("sleep", { args: ["3"] }).spawn();
       console.log("started");
       Deno.exit(0);`,
    );
    assertEquals(status.code, 0);
    assertEquals(output.stdout, "started\n");
  },
});
