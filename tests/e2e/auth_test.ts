import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { basic } from "../runtime/auth/headers.ts";
import { mpSandbox } from "../support/mp.ts";
import { launch, type Launched, script } from "./launched.ts";

/** A line of each form, of the passwords "engine", "myPassword" and "one". */
const BCRYPT = "$2y$08$x1OuOHkbIbIPhndgw.riXejRAW.Y4Hry2SL8Xun1DkYIMiwkTZPMS";
const APR1 = "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/";
const SHA = "{SHA}/gW83NxJKAEngaXxoqd8u1OY4QY=";
const FILE = `# who may call\nada:${BCRYPT}\ngrace:${APR1}\nÉva Ö:${SHA}\n`;

/** Launches a script whose users are in a file, which it does not name. */
async function launchWith(users: string, body: string): Promise<Launched & { file: string }> {
  const folder = await Deno.makeTempDir({ prefix: "mp-users-" });
  const file = join(folder, "users");
  await Deno.writeTextFile(file, users);
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    const launched = await launch(body, {
      args: ["--auth-users", file],
      env: { MP_STORAGE: `file:${join(folder, "data.db")}` },
    });
    return {
      ...launched,
      file,
      [Symbol.asyncDispose]: () => launched[Symbol.asyncDispose]().finally(remove),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Calls as curl does. @returns The status of HTTP, and the result or the error's message. */
async function ask(url: string, method: string, authorization?: string): Promise<unknown[]> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(authorization && { authorization }) },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method }),
  });
  const { result, error } = await response.json();
  return [response.status, error?.message ?? result];
}

/** A port at which nothing listens. */
function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return listener.addr.port;
}

const WHO = `
const who = (_: unknown, { user }: mp.Context) => user;
mp.service("who", mp.basicAuth(mp.scatter(2, who, (all) => all)), { expose: true });`;

Deno.test("the users of an htpasswd file are known in every replica, whatever the form of their password", async () => {
  await using at = await launchWith(FILE, WHO);
  for (const pair of ["ada:engine", "grace:myPassword", "Éva Ö:one"]) {
    const [user] = pair.split(":");
    assertEquals(await ask(at.url, "who", basic(pair)), [200, [user, user]]);
    // a slow one is remembered by then
    assertEquals(await ask(at.url, "who", basic(pair)), [200, [user, user]]);
  }
  const refusal = `Cannot call "who": the caller's name and password are missing or wrong`;
  for (
    const pair of ["ada:Engine", "ada:one", "grace:engine", "Éva Ö:", "eve:engine", `ada:${BCRYPT}`]
  ) {
    assertEquals(await ask(at.url, "who", basic(pair)), [401, refusal], pair);
  }
});

Deno.test("a change of the htpasswd file holds without a restart", async () => {
  await using at = await launchWith(FILE, WHO);
  const isKnown = async (pair: string) => (await ask(at.url, "who", basic(pair)))[0] === 200;
  assertEquals([await isKnown("ada:engine"), await isKnown("bob:one")], [true, false]);
  await Deno.writeTextFile(at.file, `bob:${SHA}\n`);
  const began = performance.now();
  while (!await isKnown("bob:one")) {
    assert(performance.now() - began < 20_000, "the new user is not known after 20 s");
  }
  assertEquals(await isKnown("ada:engine"), false);
  // what cannot be read changes nothing, and is told
  await Deno.writeTextFile(at.file, "bob:secret\n");
  const said = at.program.line(/Cannot read the users/, { timeout: 20_000 });
  let over = false;
  said.finally(() => over = true);
  while (!over) assertEquals(await isKnown("bob:one"), true);
  const line = await said;
  assertStringIncludes(line, "line 1 has a password for");
  assertEquals(at.program.lines.some((line) => /bob:secret|"secret"/.test(line)), false);
});

Deno.test("a second run with another file of users is an update", async () => {
  await using at = await launchWith(FILE, WHO);
  const other = await at.sandbox.write("others/htpasswd", `bob:${SHA}\n`);
  const { code, stderr } = await at.sandbox.run(["run", "-d", "--wait", at.script], {
    // relative to the folder in which it is called
    cwd: join(at.sandbox.folder, "others"),
    env: { MP_AUTH_USERS: "htpasswd", MP_STORAGE: `file:${at.file}.db` },
  });
  assertEquals(code, 0, stderr);
  assertEquals(await ask(at.url, "who", basic("bob:one")), [200, ["bob", "bob"]]);
  assertEquals((await ask(at.url, "who", basic("ada:engine")))[0], 401);
  assertMatch(other, /others.htpasswd$/);
});

Deno.test("mp client says who calls, in every way, and prints nothing of it", async () => {
  await using at = await launchWith(
    FILE,
    `${WHO}\nmp.service("token", mp.bearerAuth(who, { tokens: { "tok-1": "ci" } }), { expose: true });`,
  );
  const host = at.url.slice("http://".length);
  const known: [string[], Record<string, string>, unknown][] = [
    [["who", "--user", "ada:engine"], {}, ["ada", "ada"]],
    [["who", "-u", "Éva Ö:one"], {}, ["Éva Ö", "Éva Ö"]],
    [["who"], { MP_USER: "ada:engine" }, ["ada", "ada"]],
    [["who", "--url", `http://ada:engine@${host}`], {}, ["ada", "ada"]],
    [["who", "--url", `%C3%89va%20%C3%96:one@${host}`], {}, ["Éva Ö", "Éva Ö"]],
    [["token", "--token", "tok-1"], {}, "ci"],
    [["token", "--url", at.url], { MP_TOKEN: "tok-1" }, "ci"],
  ];
  for (const [args, env, expected] of known) {
    const { code, stdout, stderr } = await at.sandbox.run(["client", ...args], { env });
    assertEquals([code, code === 0 && JSON.parse(stdout)], [0, expected], stderr);
  }
  const secret = "hunter2";
  const refused: [string[], Record<string, string>, number, string][] = [
    [["who"], {}, 1, "→ Say who calls with --user NAME:PASSWORD"],
    [["who", "--user", `ada:${secret}`], {}, 1, "→ Correct --user"],
    [["who", "--token", secret], {}, 1, "→ Say who calls with --user NAME:PASSWORD"],
    [["token"], {}, 1, "→ Say who calls with --token TOKEN"],
    [["token"], { MP_TOKEN: secret }, 1, "→ Correct --token"],
    [["who", "--user", secret], {}, 2, "Cannot read --user: it is not NAME:PASSWORD"],
    [["who", "--user", `a:${secret}`, "--token", secret], {}, 2, "it is said more than once"],
    [["who", "--url", `http://ada:${secret}@${host}`], {}, 1, "→ Correct --user"],
    [
      ["who", "--url", `http://ada:${secret}@127.0.0.1:${freePort()}/`],
      {},
      1,
      "nothing listens there",
    ],
    [["who", "--url", `http://ada:${secret}@[`], {}, 2, "it is not a URL"],
  ];
  for (const [args, env, status, message] of refused) {
    for (const more of [[], ["--log-level", "debug"], ["--json"]]) {
      const { code, stdout, stderr } = await at.sandbox.run(["client", ...args, ...more], { env });
      assertEquals([code, stdout], [status, ""], stderr);
      if (more[0] !== "--json") assertStringIncludes(stderr, message);
      assertEquals(stderr.includes(secret), false, stderr);
    }
  }
});

Deno.test("mp.scope.user is the scope of who calls, through services and routers", async () => {
  await using at = await launchWith(
    FILE,
    `
const inner = mp.service("inner", mp.basicAuth(mp.spread(2, () => {
  mp.scope.user.n = (mp.scope.user.n ?? 0) + 1;
  return mp.scope.user.n;
})));
mp.service("outer", mp.basicAuth(() => inner.call(undefined)), { expose: true });
mp.service("free", () => inner.call(undefined), { expose: true });`,
  );
  const ada = basic("ada:engine");
  const grace = basic("grace:myPassword");
  assertEquals(await ask(at.url, "outer", ada), [200, 1]);
  assertEquals(await ask(at.url, "outer", ada), [200, 2]);
  assertEquals(await ask(at.url, "outer", grace), [200, 1]);
  assertEquals(await ask(at.url, "free", ada), [
    200,
    'Cannot call "inner": it is called for no user',
  ]);
});

Deno.test("what a function for users throws is in the log of its replica, and nowhere else", async () => {
  await using at = await launch(`
const users = (name: string) => { throw new Error("no row for " + name + " in db.internal"); };
mp.service("who", mp.basicAuth(() => 1, { users }), { expose: true });`);
  assertEquals(await ask(at.url, "who", basic("ada:engine")), [
    401,
    `Cannot call "who": the caller's name and password are missing or wrong`,
  ]);
  const { text } = await at.told(({ text }) => text?.includes("db.internal") ?? false);
  assertStringIncludes(text!, 'Cannot answer "who"');
  assertEquals(at.program.lines.some((line) => line.includes("engine")), false);
});

Deno.test("an unknown name takes as long as a wrong password, seen from outside", async () => {
  await using at = await launchWith(`ada:${BCRYPT}\n`, WHO);
  const took = async (pair: string) => {
    const began = performance.now();
    assertEquals((await ask(at.url, "who", basic(pair)))[0], 401);
    return performance.now() - began;
  };
  const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1]!;
  const known: number[] = [];
  const unknown: number[] = [];
  for (let i = 0; i < 15; i++) {
    known.push(await took(`ada:wrong ${i}`));
    unknown.push(await took(`eve:wrong ${i}`));
  }
  const ratio = median(unknown) / median(known);
  assert(ratio > 1 / 2 && ratio < 2, `${median(unknown)} ms, and ${median(known)} ms`);
});

Deno.test("mp run and mp plan refuse a script that would ask nobody, or whose users cannot be read", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("plain", "ada:engine\n");
  await sandbox.write("empty", "# nobody\n");
  const free = 'mp.service("a", mp.basicAuth(() => 1), { expose: true });';
  const named = (users: string) => `mp.service("a", mp.basicAuth(() => 1, { users: ${users} }));`;
  const part = 'mp.service("a", mp.spread(2, mp.bearerAuth(() => 1, { tokens: { a: "b" } })));';
  const cases: [string, string[], string, string][] = [
    [free, [], "Cannot use mp.basicAuth() without users: nobody may call", "--auth-users FILE"],
    [
      free,
      ["--auth-users", "nope"],
      'Cannot read the users of "nope": there is no such file',
      "htpasswd -B",
    ],
    [
      free,
      ["--auth-users", "plain"],
      'line 1 has a password for "ada" that cannot be used',
      "htpasswd -B",
    ],
    [named('"./empty"'), [], 'Cannot read the users of "empty": no user is in it', "htpasswd -B"],
    [named("{}"), [], "there are no users", "Correct the arguments"],
    [named("Deno.env.get('NO_SUCH')"), [], "without users: nobody may call", "--auth-users FILE"],
    [part, [], 'Cannot guard "a.compute": it is a part', 'Put the target of service "a"'],
  ];
  for (const [body, args, message, next] of cases) {
    const file = await sandbox.write("topology.ts", script(body));
    for (const command of ["run", "plan"]) {
      const { code, stderr } = await sandbox.run([command, ...args, file]);
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, message);
      assertMatch(stderr, /\n {2}at .*topology\.ts:2:\d+\n/);
      assertStringIncludes(stderr, next);
      assertEquals(/engine/.test(stderr), false, stderr);
    }
  }
});
