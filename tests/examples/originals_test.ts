/**
 * The original's own scripts, unchanged, where they are at hand: `MP_TEST_ORIGINALS` names a folder with clones of both
 * repositories, `metaparticle` and `storage`. The project has none of their text; `original_test.ts` runs scripts
 * in their style each time.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { mpSandbox, type Sandbox } from "../support/mp.ts";
import { type Need, testWith } from "../support/needs.ts";
import { startRedis } from "../support/servers/redis_server.ts";

const ORIGINALS = Deno.env.get("MP_TEST_ORIGINALS");

/** A sandbox with a copy of a repository, beside whose scripts data is kept. */
async function withCopy(repository: string): Promise<Sandbox> {
  const sandbox = await mpSandbox();
  const args = ["-r", join(ORIGINALS!, repository), join(sandbox.folder, repository)];
  const { success } = await new Deno.Command("cp", { args }).output();
  assert(success, `there is no ${args[1]}`);
  return sandbox;
}

interface Called {
  readonly script: string;
  readonly service: string;
  readonly args?: readonly string[];
  readonly user?: string;
}

/** Runs a server of the original, and calls it 40 times at once. @returns What it answered, and what its scopes hold. */
async function callAtOnce({ script, service, args = [], user }: Called) {
  await using sandbox = await withCopy("metaparticle");
  await sandbox.write("users", "ada:{SHA}/gW83NxJKAEngaXxoqd8u1OY4QY=\n");
  const path = join(sandbox.folder, "metaparticle", "examples", script);
  const program = sandbox.start(["run", path, "--port", "0", ...args]);
  const line = await program.line(/http:\/\/127\.0\.0\.1:\d+/);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)![0];
  const headers = {
    "content-type": "application/json",
    ...(user !== undefined && { authorization: `Basic ${btoa(user)}` }),
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: service, params: [{}] });
  const counts = await Promise.all(Array.from({ length: 40 }, async () => {
    const reply = await (await fetch(url, { method: "POST", headers, body })).json();
    assertEquals(reply.error, undefined);
    return reply.result.requests as number | undefined;
  }));
  const scopes = await sandbox.run(["scope", "list", "--app", path, "--json"]);
  program.kill("SIGINT");
  assertEquals((await program.ended).code, 0);
  const documents = scopes.stdout.trim().split("\n").map((text) => JSON.parse(text).document);
  return { counts: counts.sort((a, b) => a! - b!), documents };
}

/** Runs a program of the original's that serves HTTP at its own port, and asks it. */
async function ask(script: string, paths: readonly string[]): Promise<string[]> {
  await using sandbox = await withCopy("storage");
  const program = sandbox.start(["run", join(sandbox.folder, "storage", "examples", script)]);
  await program.line("server is listening on");
  const texts = await Promise.all(
    paths.map(async (path) => await (await fetch(`http://localhost:8090${path}`)).text()),
  );
  program.kill("SIGTERM");
  await program.ended;
  return texts.sort();
}

const UP_TO_40 = Array.from({ length: 40 }, (_, i) => i + 1);

/** No machine has to have them. */
const needs: Need = ORIGINALS
  ? {}
  : { absent: "MP_TEST_ORIGINALS names no folder", elsewhere: true };

testWith(needs, "the original server5.js itself counts 40 requests at once to 40", async () => {
  const { counts } = await callAtOnce({ script: "server5.js", service: "simple-storage" });
  assertEquals(counts, UP_TO_40);
});

testWith(needs, "the original server6.js itself counts over three replicas", async () => {
  await using server = await startRedis();
  const args = ["--storage", server.url];
  const service = "replicated-storage-service";
  const { counts } = await callAtOnce({ script: "server6.js", service, args });
  assertEquals(counts, UP_TO_40);
});

testWith(needs, "the original server7.js itself counts for a user", async () => {
  const service = "simple-user-storage";
  // relative to the working folder
  const args = ["--auth-users", "users"];
  const called = await callAtOnce({ script: "server7.js", service, args, user: "ada:one" });
  assertEquals(called.documents, [{ requests: 40 }]);
});

testWith(needs, "the original example.js itself counts how often it was run", async () => {
  await using sandbox = await withCopy("storage");
  // it names a folder that everybody writes to
  const args = ["--storage", `file:${join(sandbox.folder, "data.db")}`];
  const script = join(sandbox.folder, "storage", "examples", "example.js");
  for (const calls of [1, 2]) {
    const { stdout, stderr } = await sandbox.run(["run", script, ...args]);
    assertEquals([stdout, stderr], [`${calls}\n`, ""]);
  }
});

testWith(
  needs,
  "the original http-example.js and user-scope-http-example.js themselves count",
  async () => {
    assertEquals(await ask("http-example.js", ["/", "/", "/"]), [
      "There have been 1 request.",
      "There have been 2 requests.",
      "There have been 3 requests.",
    ]);
    assertEquals(await ask("user-scope-http-example.js", ["/?user=a", "/?user=b", "/?user=a"]), [
      "There have been 1 request.",
      "There have been 1 request.",
      "There have been 2 requests.",
    ]);
  },
);
