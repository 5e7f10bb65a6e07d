import { assertEquals } from "@std/assert";
import { type DeployedWords, offer } from "../../../runtime/cli/candidates.ts";
import type { Program } from "../../../runtime/cli/command.ts";
import { commandTable } from "../../../runtime/cli/command_table.ts";

const program: Program = {
  version: "0.0.0",
  drivers: {
    process: () => Promise.reject(new Error("not loaded")),
    docker: () => Promise.reject(new Error("not loaded")),
  },
  storages: () => Promise.resolve({}),
  storageAdvice: () => Promise.resolve([]),
  commands: commandTable,
  self: { command: "mp", args: [] },
  portOwner: () => Promise.resolve(undefined),
  testModules: () => Promise.resolve({}),
  env: () => undefined,
};
const deployed: DeployedWords = (kind) => {
  const words = {
    app: ["shop"],
    service: ["users", "orders"],
    path: ["users.compute", "users.shard"],
  };
  return Promise.resolve(words[kind].map((word) => ({ word, meaning: kind })));
};
async function offered(...words: string[]): Promise<string[]> {
  const { words: found, files } = await offer(words, program, deployed);
  return [...found.map(({ word }) => word), ...(files ? ["(files)"] : [])];
}

Deno.test("offer() gives commands first, without the hidden ones", async () => {
  assertEquals(await offered("re"), ["restart"]);
  assertEquals(await offered("--color", "never", "re"), ["restart"]);
  assertEquals((await offered("")).length, commandTable.filter(({ hidden }) => !hidden).length);
});

Deno.test("offer() gives global options before the command, and all of its own behind", async () => {
  assertEquals(await offered("--j"), ["--json"]);
  assertEquals(await offered("run", "--wa"), ["--wait", "--watch"]);
  assertEquals(await offered("run", "--js"), ["--json"]);
});

Deno.test("offer() gives an option once, unless it may be repeated", async () => {
  assertEquals(await offered("run", "--watch", "--wat"), []);
  assertEquals(await offered("run", "--env", "A=1", "--env"), ["--env", "--env-file"].slice(0, 2));
});

Deno.test("offer() gives the values of options, apart or behind =", async () => {
  assertEquals(await offered("run", "--color", "a"), ["auto", "always"]);
  assertEquals(await offered("run", "--color=a"), ["--color=auto", "--color=always"]);
  assertEquals(await offered("run", "--driver", ""), ["process", "docker"]);
  assertEquals(await offered("run", "--env-file", ""), ["(files)"]);
  assertEquals(await offered("run", "a.ts", "--replicas", "users.c"), ["users.compute="]);
  assertEquals(await offered("run", "--name", "x"), []);
});

Deno.test("offer() gives what the argument in that place may be", async () => {
  assertEquals(await offered("run", ""), ["(files)"]);
  assertEquals(await offered("run", "a.ts", ""), []);
  assertEquals(await offered("run", "-d", "--name", "x", ""), ["(files)"]);
  assertEquals(await offered("client", "us"), ["users"]);
  assertEquals(await offered("client", "users", ""), []);
  assertEquals(await offered("logs", "-n", "5", "users.s"), ["users.shard"]);
  assertEquals(await offered("logs", "users.shard", "users.c"), ["users.compute"]);
  assertEquals(await offered("help", "ver"), ["version"]);
  assertEquals(await offered("completions", ""), ["bash", "zsh", "fish"]);
});

Deno.test("offer() gives files for the arguments of a program", async () => {
  assertEquals(await offered("run", "a.ts", "--", "--wat"), ["(files)"]);
});

Deno.test("offer() gives nothing behind a command that is not there", async () => {
  assertEquals(await offered("frobnicate", ""), []);
});
