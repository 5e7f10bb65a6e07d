/**
 * Scripts in the original's style, called as the original's client called them: by the npm package
 * jayson, in the version that the original asked for.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "@std/path";
import jayson from "jayson";
import { mpSandbox, type Sandbox } from "../support/mp.ts";
import { needsProgram, testWith } from "../support/needs.ts";
import { startRedis } from "../support/servers/redis_server.ts";
import { deploy, ROOT } from "./deployed.ts";

const needsRedis = needsProgram("redis-server", "apt-get install redis-server");

const FOLDER = "tests/fixtures/original/examples";

/** Calls as `node client.js SERVICE JSON` did. */
function request(url: string, service: string, object: unknown): Promise<unknown> {
  const client = jayson.Client.http({ port: Number(new URL(url).port) });
  return new Promise((resolve, reject) => {
    // deno-lint-ignore no-explicit-any -- as the package declares a reply
    client.request(service, [object], (error?: unknown, response?: any) => {
      if (error || response.error) reject(error ?? new Error(JSON.stringify(response.error)));
      else resolve(response.result);
    });
  });
}

Deno.test("the original's server1 answers with the request", async () => {
  await using deployed = await deploy(`${FOLDER}/server1.js`);
  for (const object of [{ foo: "bar" }, { nested: [1, null, { é: true }] }, "text", 0, null, []]) {
    assertEquals(await request(deployed.url, "simple-service", object), { "request-was": object });
  }
  assertEquals(await deployed.client("simple-service", '{"foo":"bar"}'), {
    "request-was": { foo: "bar" },
  });
});

Deno.test("the original's server2 spreads over three replicas", async () => {
  await using deployed = await deploy(`${FOLDER}/server2.js`);
  const pids = new Set<number>();
  // any of them answers; that one of three is never chosen in 60 times is as good as impossible
  for (let i = 0; i < 60; i++) {
    const answer = await request(deployed.url, "replicated-service", { foo: i });
    const { request: echo, server, pid } = answer as {
      request: unknown;
      server: string;
      pid: number;
    };
    assertEquals(echo, { foo: i });
    assertEquals(server, Deno.hostname());
    pids.add(pid);
  }
  assertEquals(pids.size, 3);
});

Deno.test("the original's server3 shards by the length of the user's name", async () => {
  await using deployed = await deploy(`${FOLDER}/server3.js`);
  for (const [object, shard] of [[{ user: "me" }, 2], [{ user: "ada" }, 0], [{ foo: "bar" }, 0]]) {
    assertEquals(await request(deployed.url, "sharded-service", object), {
      request: object,
      server: Deno.hostname(),
      replica: `sharded-service.compute.${shard}`,
    });
  }
});

for (const script of ["server4.js", "histogram.js"]) {
  Deno.test(`the original's ${script} makes a histogram of what ten leaves draw`, async () => {
    await using deployed = await deploy(`${FOLDER}/${script}`);
    const answer = await request(deployed.url, "histogram-service", { foo: "bar" });
    const counts = answer as number[];
    const sum = counts.reduce((total, count) => total + count, 0);
    assertEquals(counts.length, 10);
    // what lies beyond four standard deviations is not counted
    assert(sum <= 1000 && sum > 990, `${sum}`);
    assertGreater(counts[4]! + counts[5]!, 400);
  });
}

Deno.test("the original's server7 counts for each user, whom --auth-users tells", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    // "one" and "two", as htpasswd -s writes them
    const users = "ada:{SHA}/gW83NxJKAEngaXxoqd8u1OY4QY=\nbob:{SHA}rXguzax3D8brmmLkT5CHP7l/sms=\n";
    await Deno.writeTextFile(join(folder, "users"), users);
    await using deployed = await deploy(`${FOLDER}/server7.js`, {
      args: ["--auth-users", "users"],
      cwd: folder,
      env: { MP_STORAGE: `file:${join(folder, "data.db")}` },
    });
    const { port } = new URL(deployed.url);
    const request = (auth?: string): Promise<unknown> => {
      const client = jayson.Client.http({ port: Number(port), ...(auth && { auth }) });
      return new Promise((resolve, reject) => {
        // deno-lint-ignore no-explicit-any -- as the package declares a reply
        client.request("simple-user-storage", [{}], (error?: unknown, response?: any) => {
          if (error || response.error) reject(error ?? response.error);
          else resolve(response.result);
        });
      });
    };
    // it counts in the user's scope, and answers with what the global one has
    for (let i = 0; i < 3; i++) assertEquals(await request("ada:one"), {});
    assertEquals(await request("bob:two"), {});
    for (const auth of [undefined, "ada:two", "eve:one", "ada:"]) {
      await assertRejects(() => request(auth).catch((error) => Promise.reject(new Error(error))));
    }
    assertEquals(await deployed.client("simple-user-storage", "--user", "ada:one"), {});
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Calls a counter so often at once, and sees that it counts each call. */
async function countsEach(url: string, service: string, count: number): Promise<void> {
  const answers = await Promise.all(Array.from({ length: count }, () => request(url, service, {})));
  const counts = answers.map((answer) => (answer as { requests: number }).requests);
  assertEquals(counts.sort((a, b) => a - b), Array.from({ length: count }, (_, i) => i + 1));
}

Deno.test("the original's server5 counts 40 requests at once to 40", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    const env = { MP_STORAGE: `file:${join(folder, "data.db")}` };
    await using deployed = await deploy(`${FOLDER}/server5.js`, { env });
    await countsEach(deployed.url, "simple-storage", 40);
    assertEquals(await deployed.client("simple-storage", "{}"), { requests: 41 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWith(
  needsRedis,
  "the original's server6 counts over three replicas with --storage=redis",
  async () => {
    await using server = await startRedis();
    const args = ["--storage=redis"];
    await using deployed = await deploy(`${FOLDER}/server6.js`, {
      args,
      env: { REDIS_URL: server.url },
    });
    await countsEach(deployed.url, "replicated-storage-service", 40);
  },
);

const PROGRAMS = `${ROOT}tests/fixtures/original/storage/examples`;

/** Copies a program of the original storage library, which keeps its data beside itself. */
async function copyProgram(sandbox: Sandbox, name: string): Promise<string> {
  return await sandbox.write(name, await Deno.readTextFile(`${PROGRAMS}/${name}`));
}

Deno.test("the original's example.js counts how often it was run", async () => {
  await using sandbox = await mpSandbox();
  const script = await copyProgram(sandbox, "example.js");
  for (const calls of [1, 2, 3]) {
    const { code, stdout, stderr } = await sandbox.run(["run", script]);
    assertEquals([code, stdout, stderr], [0, `${calls}\n`, ""]);
  }
  const stored = join(sandbox.folder, "calls", "data.db");
  const scope = await sandbox.run(["scope", "get", "global", "--app", script, "--storage", stored]);
  assertEquals(JSON.parse(scope.stdout), { calls: 3 }, scope.stderr);
});

/** Runs a server of Node's, asks it, and stops it. */
async function ask(
  sandbox: Sandbox,
  script: string,
  paths: readonly string[],
): Promise<readonly string[]> {
  const program = sandbox.start(["run", script]);
  const url = /http:\/\/localhost:\d+/.exec(await program.line("server is listening on"))![0];
  const texts = await Promise.all(
    paths.map(async (path) => await (await fetch(`${url}${path}`)).text()),
  );
  program.kill("SIGTERM");
  await program.ended;
  return texts.sort();
}

Deno.test("the original's http-example.js counts its requests, also when it is run again", async () => {
  await using sandbox = await mpSandbox();
  const script = await copyProgram(sandbox, "http_example.js");
  const paths = Array.from({ length: 5 }, () => "/");
  assertEquals(await ask(sandbox, script, paths), [
    "There have been 1 request.",
    ...[2, 3, 4, 5].map((n) => `There have been ${n} requests.`),
  ]);
  assertEquals(await ask(sandbox, script, ["/"]), ["There have been 6 requests."]);
});

Deno.test("the original's user-scope-http-example.js counts for each user", async () => {
  await using sandbox = await mpSandbox();
  const script = await copyProgram(sandbox, "user_scope_http_example.js");
  const paths = ["/?user=ada", "/?user=ada", "/?user=../bob", "/", "/?user=__proto__"];
  assertEquals(await ask(sandbox, script, paths), [
    "There have been 1 request.",
    "There have been 1 request.",
    "There have been 1 request.",
    "There have been 1 request.",
    "There have been 2 requests.",
  ]);
});
