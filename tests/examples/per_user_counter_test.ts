import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { mp } from "../support/mp.ts";
import { basic } from "../runtime/auth/headers.ts";
import { deploy, ROOT } from "./deployed.ts";

const SCRIPT = "examples/per_user_counter.ts";
const USERS = `${ROOT}examples/per_user_counter.htpasswd`;

Deno.test("examples/per_user_counter.ts counts for each user, over all replicas", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    await using deployed = await deploy(SCRIPT, {
      args: ["--auth-users", USERS],
      env: { MP_STORAGE: `file:${join(folder, "data.db")}` },
    });
    const client = (...args: string[]) => deployed.client("counter", ...args);
    assertEquals(await client("--user", "ada:engine"), { user: "ada", requests: 1 });
    assertEquals(await client("-u", "grace:compiler"), { user: "grace", requests: 1 });
    const call = async (pair: string) => {
      const response = await fetch(deployed.url, {
        method: "POST",
        headers: { "content-type": "application/json", "authorization": basic(pair) },
        body: '{"jsonrpc":"2.0","id":1,"method":"counter"}',
      });
      return (await response.json()).result.requests;
    };
    const counts = await Promise.all(Array.from({ length: 30 }, () => call("ada:engine")));
    assertEquals(counts.toSorted((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i + 2));
    assertEquals(await client("--user", "grace:compiler"), { user: "grace", requests: 2 });
    const refused = await deployed.sandbox.run(["client", "counter"]);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertStringIncludes(refused.stderr, 'Cannot call "counter": the caller\'s name and password');
    assertStringIncludes(refused.stderr, "→ Say who calls with --user NAME:PASSWORD");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("examples/per_user_counter.ts does not run without users", async () => {
  const { code, stderr } = await mp(["run", `${ROOT}${SCRIPT}`, "--port", "0"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Cannot use mp.basicAuth() without users: nobody may call");
  assertStringIncludes(stderr, "per_user_counter.ts:28:26");
  assertStringIncludes(stderr, "--auth-users FILE or MP_AUTH_USERS");
});
