/**
 * Scripts in the original's style, called as the original's client called them: by the npm package
 * jayson, in the version that the original asked for.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "@std/path";
import jayson from "jayson";
import { deploy } from "./deployed.ts";

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
