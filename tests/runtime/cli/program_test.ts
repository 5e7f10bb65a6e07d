import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { optional } from "../../../runtime/cli/argument.ts";
import { command, type CommandEntry } from "../../../runtime/cli/command.ts";
import { directLine } from "../../../runtime/cli/direct_line.ts";
import { runProgram } from "../../../runtime/cli/program.ts";
import { memoryOutput } from "./memory_output.ts";

const echo: CommandEntry = {
  name: "echo",
  summary: "Say it again",
  load: () =>
    Promise.resolve({
      name: "echo",
      summary: "Say it again",
      ...command({
        description: [],
        arguments: { what: optional({ description: "What" }) },
        options: {},
        examples: [],
        run({ arguments: { what }, output }) {
          if (what === "fail") {
            throw new MpError("port_in_use", "no", { where: "here", next: "Go" });
          }
          if (what === "bug") throw new TypeError("bug");
          output.result(what ?? "nothing");
          return Promise.resolve(what === "three" ? 3 : undefined);
        },
      }),
    }),
};

async function run(...args: string[]) {
  let written = memoryOutput();
  const status = await runProgram(args, {
    version: "1.2.3",
    drivers: {},
    storages: () => Promise.resolve({}),
    storageAdvice: () => Promise.resolve([]),
    commands: [echo],
    self: { command: "mp", args: [] },
    portOwner: () => Promise.resolve(undefined),
    testModules: () => Promise.resolve({}),
    env: () => undefined,
  }, ({ json, logLevel }) => (written = memoryOutput({ json, logLevel })).output);
  return { status, stdout: written.stdout(), stderr: written.stderr() };
}

Deno.test("runProgram() gives the command's exit status", async () => {
  assertEquals(await run("echo", "hi"), { status: 0, stdout: "hi\n", stderr: "" });
  assertEquals((await run("echo", "three")).status, 3);
});

Deno.test("runProgram() shows errors on stderr and nothing on stdout", async () => {
  assertEquals(await run("echo", "fail"), {
    status: 1,
    stdout: "",
    stderr: "error: no\n  at here\n  → Go\n",
  });
  assertEquals((await run("echo", "bug")).stderr, "error: bug\n");
});

Deno.test("runProgram() shows errors as JSON when asked, wrong usage too", async () => {
  const failed = await run("echo", "fail", "--json");
  assertEquals(JSON.parse(failed.stderr), {
    error: { code: "port_in_use", message: "no", where: "here", next: "Go" },
  });
  const wrong = await run("eco", "--json");
  assertEquals([wrong.status, JSON.parse(wrong.stderr).error.code], [2, "usage"]);
});

Deno.test("runProgram() shows where errors arose when asked to debug", async () => {
  const { stderr } = await run("echo", "bug", "--log-level", "debug");
  assert(stderr.includes("program_test.ts"));
});

Deno.test("runProgram() shows help, whatever else stands there", async () => {
  assert((await run()).stdout.includes("echo  Say it again"));
  assert((await run("--help")).stdout.includes("echo  Say it again"));
  assert((await run("echo", "--bogus", "--help")).stdout.includes("Usage: mp echo [WHAT]"));
});

Deno.test("runProgram() shows the version without a command", async () => {
  assertEquals(await run("--version"), { status: 0, stdout: "mp 1.2.3\n", stderr: "" });
  assertEquals((await run("-V")).stdout, "mp 1.2.3\n");
  assertEquals((await run("-V", "--json")).stdout, '{"mp":"1.2.3"}\n');
});

Deno.test("directLine() is the command line that a script stands for", () => {
  const line = (...args: string[]) => directLine("/a.ts", args);
  assertEquals(line(), ["run", "/a.ts"]);
  assertEquals(
    line("--driver=docker", "delete"),
    ["delete", "/a.ts", "--driver=docker"].slice(0, 3),
  );
  assertEquals(line("plan", "--json"), ["plan", "/a.ts", "--json"]);
  assertEquals(line("print"), ["plan", "--json", "/a.ts"]);
  assertEquals(line("--port", "0", "--", "plan"), ["run", "/a.ts", "--port", "0", "--", "plan"]);
});

Deno.test("mp --help loads nothing that only other commands need", async () => {
  const main = fromFileUrl(new URL("../../../main.ts", import.meta.url));
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", main] })
    .output();
  const { modules, redirects } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: {
      specifier: string;
      dependencies?: { code?: { specifier?: string }; isDynamic?: boolean }[];
    }[];
    redirects: Record<string, string>;
  };
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set<string>();
  const load = (specifier: string) => {
    const module = known.get(redirects[specifier] ?? specifier);
    if (!module || loaded.has(module.specifier)) return;
    loaded.add(module.specifier);
    for (const { code, isDynamic } of module.dependencies ?? []) {
      if (code?.specifier && !isDynamic) load(code.specifier);
    }
  };
  load(new URL("../../../main.ts", import.meta.url).href);
  const heavy = [...loaded].filter((one) =>
    /hono|esbuild|prom-client|\/drivers\/|\/patterns\/|runtime\/(rpc|replica|script|peer)\//.test(
      one,
    )
  );
  assertEquals(heavy, []);
  assert(loaded.size < 30, `${loaded.size} modules`);
});
