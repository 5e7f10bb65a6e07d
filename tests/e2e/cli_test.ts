import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { mpSandbox, type Sandbox } from "../support/mp.ts";
import { needsSystem, testWith } from "../support/needs.ts";

const HELLO = `import * as mp from "@metaparticle/mp";
mp.service("hello", (name: string = "world") => {
  console.log("asked by", name);
  return \`hello, \${name}\`;
}).expose = true;
`;
const COUNT = `import * as mp from "@metaparticle/mp";
const svc = mp.service("count", mp.scatter(3, () => 1, (parts: number[]) => parts.length));
svc.subservices.gather.expose = true;
mp.serve();
`;

async function withScript(text: string, name = "topology.ts") {
  const sandbox = await mpSandbox();
  await sandbox.write(name, text);
  return sandbox;
}

/** Starts in the background, with a port of its own. */
async function deploy(sandbox: Sandbox, script: string, ...more: string[]) {
  const { code, stdout, stderr } = await sandbox.run(
    ["run", script, "-d", "--wait", "--port", "0", ...more],
  );
  assertEquals(code, 0, stderr);
  return stdout;
}

async function call(sandbox: Sandbox, ...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await sandbox.run(["client", ...args]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("mp run says where it listens, shows what replicas print, and stops at Ctrl-C", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const run = sandbox.start(["run", "hello.ts", "--port", "0"]);
  const line = await run.line("listening on");
  assertMatch(line, /^listening on http:\/\/127\.0\.0\.1:\d+: hello$/);
  assertEquals(await call(sandbox, "hello", '"Ada"'), "hello, Ada");
  assertEquals(await run.line("asked by"), "hello[0] | asked by Ada");
  run.kill("SIGINT");
  const { code, stdout, stderr } = await run.ended;
  assertEquals([code, stdout], [0, `${line}\nhello[0] | asked by Ada\n`]);
  assertStringIncludes(stderr, "hello: 1 ready\n");
  assertStringIncludes(stderr, 'Stopped "hello"\n');
  assertEquals(await sandbox.processes(), []);
});

Deno.test("mp run -d says where it is going to listen, unless it waits for that", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const run = async () => (await sandbox.run(["run", "hello.ts", "-d", "--port", "0"])).stdout;
  assertMatch(await run(), /^soon listening on http:\/\/127\.0\.0\.1:\d+: hello\n$/);
  // what runs already listens while it is updated
  await deploy(sandbox, "hello.ts");
  assertMatch(await run(), /^listening on http:/);
  assertEquals((await sandbox.run(["delete", "hello"])).code, 0);
});

Deno.test("mp run -d, ps, client, restart, scale, logs and delete work on one deployment", async () => {
  await using sandbox = await withScript(COUNT, "count.ts");
  assertMatch(await deploy(sandbox, "count.ts"), /^listening on http:\S+: count\n$/);
  assertEquals(await call(sandbox, "count"), 3);

  const ps = JSON.parse((await sandbox.run(["ps", "--json"])).stdout);
  assertEquals(ps.map((one: { handle: { app: string } }) => one.handle.app), ["count"]);
  assertEquals(ps[0].replicas.map(({ state }: { state: string }) => state), Array(4).fill("ready"));
  const table = (await sandbox.run(["ps"])).stdout.split("\n");
  assertMatch(table[1]!, /^count +ready +4\/4 +http:\S+ +\d+ s +process +- +count\.ts$/);

  const pid = pidOf(ps, "count.scatter", 1);
  assertEquals((await sandbox.run(["restart", "count.scatter.1"])).code, 0);
  const after = JSON.parse((await sandbox.run(["ps", "count", "--json"])).stdout);
  assert(pidOf(after, "count.scatter", 1) !== pid);

  assertEquals((await sandbox.run(["scale", "count", "count.scatter=5"])).code, 0);
  assertEquals(await call(sandbox, "count"), 5);

  const deleted = await sandbox.run(["delete", "count.ts"]);
  assertEquals([deleted.code, deleted.stderr], [0, 'Stopped and deleted "count"\n']);
  assertEquals(await sandbox.processes(), []);
  const none = await sandbox.run(["client", "count"]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertStringIncludes(none.stderr, "→ Start one with mp run SCRIPT");
});

// deno-lint-ignore no-explicit-any -- what mp ps --json prints
function pidOf(ps: any, path: string, index: number): number {
  // deno-lint-ignore no-explicit-any -- as above
  return ps[0].replicas.find((one: any) => one.path === path && one.index === index).pid;
}

Deno.test("mp logs shows what was written, also after the end, until the app is deleted", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  await deploy(sandbox, "hello.ts");
  const follow = sandbox.start(["logs", "hello", "-f", "-t"]);
  for (const name of ["a", "b"]) await call(sandbox, "hello", `"${name}"`);
  assertMatch(
    await follow.line("asked by b"),
    /^hello\[0\] \| \d{4}-\d\d-\d\dT[\d:.]+Z asked by b$/,
  );
  const last = await sandbox.run(["logs", "hello.0", "-n", "1"]);
  assertEquals(last.stdout, "hello[0] | asked by b\n");
  const unknown = await sandbox.run(["logs", "hello", "helo"]);
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.stderr, 'Did you mean "hello"?');
  const [{ pid }] = JSON.parse((await sandbox.run(["ps", "--json"])).stdout);
  Deno.kill(pid, "SIGTERM");
  assertEquals((await follow.ended).code, 0);
  // nothing comes any more, so there is nothing to wait for
  const over = await sandbox.run(["logs", "hello", "--follow"]);
  assertEquals([over.code, over.stdout.match(/asked by/g)?.length], [0, 2]);
  const ended = await sandbox.run(["logs", "hello.ts", "--json"]);
  const lines = ended.stdout.trim().split("\n").map((line) => JSON.parse(line).text);
  assertEquals(lines, ["asked by a", "asked by b"]);
  assertEquals((await sandbox.run(["delete", "hello"])).stderr, 'Deleted "hello"\n');
  assertEquals((await sandbox.run(["logs", "hello"])).code, 1);
});

Deno.test("mp logs --follow ends when the app is deleted, restarted ones are followed", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  await deploy(sandbox, "hello.ts");
  const follow = sandbox.start(["logs", "-f"]);
  await call(sandbox, "hello", '"Ada"');
  await follow.line("asked by Ada");
  assertEquals((await sandbox.run(["restart", "hello", "hello"])).code, 0);
  await call(sandbox, "hello", '"Bob"');
  await follow.line("asked by Bob");
  await sandbox.write("hello.ts", HELLO.replace("asked by", "now asked by"));
  await deploy(sandbox, "hello.ts");
  await call(sandbox, "hello", '"Cid"');
  await follow.line("now asked by Cid");
  assertEquals((await sandbox.run(["delete", "hello"])).code, 0);
  const { code, stderr } = await follow.ended;
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("a second mp run updates the first, and its Ctrl-C only stops following", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const first = sandbox.start(["run", "hello.ts", "--port", "0"]);
  await first.line("listening on");
  await sandbox.write("hello.ts", HELLO.replace("hello, $", "hi, $"));
  const second = sandbox.start(["run", "hello.ts"]);
  await second.line("only stops following");
  assertEquals(await call(sandbox, "hello", '"Ada"'), "hi, Ada");
  await first.line('Updated "hello": 1 replica ready');
  await second.line("asked by Ada");
  second.kill("SIGINT");
  const { code, stderr } = await second.ended;
  assertEquals(code, 0);
  assertStringIncludes(stderr, 'Stopped following "hello", which goes on');
  assertEquals(await call(sandbox, "hello", '"Bob"'), "hi, Bob");
  const third = sandbox.start(["run", "hello.ts"]);
  await third.line('"hello" is up to date');
  first.kill("SIGTERM");
  assertEquals([(await first.ended).code, (await third.ended).code], [0, 0]);
});

Deno.test("an update that does not start leaves what ran, and says why", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  await deploy(sandbox, "hello.ts");
  const crashing = `${HELLO}\nif (Deno.env.get("MP_REPLICA")) throw new Error("not here");\n`;
  await sandbox.write("hello.ts", crashing);
  const update = await sandbox.run(["run", "hello.ts"]);
  assertEquals(update.code, 1);
  assertStringIncludes(update.stderr, 'error: Cannot update "hello", what ran before goes on');
  assertStringIncludes(update.stderr, "not here");
  assertEquals(await call(sandbox, "hello"), "hello, world");
  await sandbox.run(["delete"]);
});

Deno.test("many simultaneous runs of an app make one deployment", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const runs = await Promise.all(
    [1, 2, 3].map((i) =>
      sandbox.run(["run", "hello.ts", "-d", "--wait", "--port", "0", "--env", `X=${i}`])
    ),
  );
  assertEquals(runs.map(({ code }) => code), [0, 0, 0]);
  assertEquals(new Set(runs.map(({ stdout }) => stdout)).size, 1);
  assertEquals(JSON.parse((await sandbox.run(["ps", "--json"])).stdout).length, 1);
  await sandbox.run(["delete"]);
});

Deno.test("mp run --watch updates at a change, and keeps what ran when it does not build", async () => {
  await using sandbox = await withScript(
    HELLO.replace('console.log("asked by", name);', "").replace("hello, $", "${word}, $") +
      'import { word } from "./word.ts";\n',
    "hello.ts",
  );
  await sandbox.write("word.ts", 'export const word = "one";\n');
  const run = sandbox.start(["run", "hello.ts", "--watch", "--port", "0"]);
  await run.line("listening on");
  assertEquals(await call(sandbox, "hello"), "one, world");
  await sandbox.write("word.ts", 'export const word = "two";\n');
  await run.line('Updated "hello"');
  assertEquals(await call(sandbox, "hello"), "two, world");
  await sandbox.write("word.ts", 'export const word = "three;\n');
  await run.line("word.ts:1:");
  assertEquals(await call(sandbox, "hello"), "two, world");
  const from = run.lines.length;
  await sandbox.write("word.ts", 'export const word = "four";\n');
  await run.line('Updated "hello"', { from });
  assertEquals(await call(sandbox, "hello"), "four, world");
  run.kill("SIGINT");
  assertEquals((await run.ended).code, 0);
});

Deno.test("mp run --json gives an event a line", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const run = sandbox.start(["run", "hello.ts", "--port", "0", "--json"]);
  await run.line('"event":"ready"');
  run.kill("SIGTERM");
  const { stdout, code } = await run.ended;
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(code, 0);
  const ready = events.find(({ event }) => event === "ready");
  assertEquals([ready.app, ready.doors[0].methods], ["hello", ["hello"]]);
  assertEquals(events.at(-1), { event: "stopped" });
});

Deno.test("mp run of a script that makes no service passes on output and exit status", async () => {
  await using sandbox = await withScript(
    `console.log(Deno.args, Deno.env.get("A"));
     console.error("oh");
     console.log(await new Response(Deno.stdin.readable).text());
     Deno.exit(7);`,
    "program.ts",
  );
  const { code, stdout, stderr } = await sandbox.run(
    ["run", "program.ts", "--env", "A=b", "--", "-x", "y"],
    { stdin: "typed" },
  );
  assertEquals([code, stdout, stderr], [7, '[ "-x", "y" ] b\ntyped\n', "oh\n"]);
  const detached = await sandbox.run(["run", "program.ts", "-d"]);
  assertEquals(detached.code, 2);
  const plan = await sandbox.run(["plan", "program.ts"]);
  assertEquals([plan.code, plan.stdout], [1, ""]);
});

Deno.test("mp plan prints the tree, and as JSON the plan", async () => {
  await using sandbox = await withScript(COUNT, "count.ts");
  const tree = await sandbox.run(["plan", "count.ts", "--replicas", "count.scatter=7"]);
  assertMatch(
    tree.stdout,
    /^count {2}8 replicas, revision \w+\n└─ count.gather +1 +scatter +exposed/,
  );
  const plan = JSON.parse(
    (await sandbox.run(["plan", "count.ts", "--json", "--name", "x"])).stdout,
  );
  assertEquals([plan.app, plan.nodes[1].path, plan.nodes[1].replicas], ["x", "count.scatter", 3]);
});

Deno.test("a topology script that is run by deno is the command line", async () => {
  await using sandbox = await withScript(COUNT, "count.ts");
  const root = new URL("../../", import.meta.url);
  const direct = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", new URL("deno.json", root).pathname, "count.ts", ...args],
      cwd: sandbox.folder,
      env: { XDG_STATE_HOME: join(sandbox.folder, "state"), NO_COLOR: "1" },
    }).output();
  const decoder = new TextDecoder();
  assertStringIncludes(decoder.decode((await direct("plan")).stdout), "count.scatter");
  assertEquals(JSON.parse(decoder.decode((await direct("print")).stdout)).app, "count");
  assertEquals((await direct("--runner=nothing")).code, 2);
  assertEquals((await direct("-d", "--wait", "--port", "0")).code, 0);
  assertEquals(await call(sandbox, "count"), 3);
  assertEquals((await direct("delete")).code, 0);
});

Deno.test("mp client says what is wrong with a call", async () => {
  await using sandbox = await withScript(
    `import * as mp from "@metaparticle/mp";
     mp.service("fails", () => { throw new Error("boom"); }).expose = true;
     mp.service("fine", (x: unknown) => x).expose = true;`,
    "shop.ts",
  );
  await deploy(sandbox, "shop.ts");
  const fails = await sandbox.run(["client", "fails"]);
  assertEquals([fails.code, fails.stdout], [1, ""]);
  assertMatch(fails.stderr, /^error: .*boom.*\n {2}at fails\.0\n/);
  const data = await sandbox.run(["client", "fails", "--json"]);
  assertEquals(JSON.parse(data.stderr).error.code, "handler_failed");
  const near = await sandbox.run(["client", "fin"]);
  assertStringIncludes(near.stderr, 'Did you mean "fine"?');
  const bad = await sandbox.run(["client", "fine", "{a: 1}"]);
  assertEquals(bad.code, 2);
  assertStringIncludes(bad.stderr, "JSON:1:2");
  assertEquals(await call(sandbox, "fine", '{"a": [1, 2]}'), { a: [1, 2] });
  const stdin = await sandbox.run(["client", "fine", "-"], { stdin: '"piped"' });
  assertEquals(stdin.stdout, '"piped"\n');
  const [{ handle }] = JSON.parse((await sandbox.run(["ps", "--json"])).stdout);
  const url = handle.doors[0].address.replace("tcp:", "http://");
  assertEquals(await call(sandbox, "fine", "5", "--url", url), 5);
  await sandbox.run(["delete"]);
});

const BAD_SCRIPTS: Record<string, { text: string; says: RegExp; code?: number }> = {
  "a syntax error": { text: "const a = ;", says: /bad\.ts:1:11/ },
  "a throw": { text: `${HELLO}throw new Error("oh no");`, says: /oh no[^]*bad\.ts:6/ },
  "a rejected promise": {
    text: `${HELLO}Promise.reject(new Error("late"));`,
    says: /late[^]*bad\.ts:6/,
  },
  "Deno.exit()": { text: `${HELLO}Deno.exit(0);`, says: /Deno\.exit\(0\)[^]*bad\.ts:6/ },
  "an import that is not there": {
    text: 'import "./nope.ts";',
    says: /"\.\/nope\.ts"[^]*bad\.ts:1/,
  },
  "a bad name": {
    text: HELLO.replace('"hello"', '"Hello World"'),
    says: /"Hello World"[^]*bad\.ts:2[^]*→/,
  },
  "a clashing name": {
    text: HELLO + HELLO.slice(HELLO.indexOf("mp.service")),
    says: /"hello"[^]*taken/,
  },
  "no replicas": {
    text: COUNT.replace("scatter(3", "scatter(0"),
    says: /: 0 is not a whole number/,
  },
  "a crash in every replica": {
    text: `${HELLO}if (Deno.env.get("MP_REPLICA")) throw new Error("only here");`,
    says: /only here[^]*→ Read what it wrote: mp logs/,
  },
};

for (const [what, { text, says }] of Object.entries(BAD_SCRIPTS)) {
  Deno.test(`mp run with ${what} says so, exits with 1 and leaves nothing`, async () => {
    await using sandbox = await withScript(text, "bad.ts");
    const { code, stdout, stderr } = await sandbox.run(["run", "bad.ts", "--port", "0"]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, says);
    assertMatch(stderr, /^error: /m);
    assertEquals((await sandbox.run(["ps", "--json"])).stdout, "[]\n");
  });
}

Deno.test("mp run -d --wait says why its launcher gave up", async () => {
  await using sandbox = await withScript(BAD_SCRIPTS["a crash in every replica"]!.text, "bad.ts");
  const { code, stdout, stderr } = await sandbox.run([
    "run",
    "bad.ts",
    "-d",
    "--wait",
    "--port",
    "0",
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, "only here");
  assertStringIncludes((await sandbox.run(["logs", "bad"])).stdout, "only here");
  assertEquals(await sandbox.processes(), []);
});

Deno.test("wrong usage exits with 2 and says what was meant", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const wrong: Record<string, RegExp> = {
    rnu: /Did you mean mp run\?/,
    "run hello.ts --wtach": /Did you mean --watch\?/,
    "run hello.ts --driver dokcer": /Did you mean "docker"\?/,
    "run hello.ts --replicas hello=none": /not a whole number/,
    "run hello.ts --port http": /--port "http"/,
    "run hello.ts --env-file nope.env": /no such file/,
    "run hello.ts --inspect helo": /Did you mean "hello"\?/,
    "run hello.ts --wait": /--wait alone/,
    "run hello.ts -d --watch": /--watch with -d/,
    run: /SCRIPT is missing/,
    "scale x": /./,
    "completions tcsh": /bash, zsh or fish/,
  };
  for (const [line, says] of Object.entries(wrong)) {
    const { code, stdout, stderr } = await sandbox.run(line.split(" "));
    if (line !== "scale x") assertEquals(code, 2, `${line}: ${stderr}`);
    assertEquals(stdout, "", line);
    assertMatch(stderr, says, line);
  }
});

Deno.test("mp run of a file that is not there says so", async () => {
  await using sandbox = await mpSandbox();
  const { code, stderr } = await sandbox.run(["run", "nope.ts"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'Cannot find script "nope.ts": there is no such file');
});

Deno.test("mp run with a port in use names its owner", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  try {
    for (const more of [[], ["-d"]]) {
      const port = String(listener.addr.port);
      const { code, stderr } = await sandbox.run(["run", "hello.ts", "--port", port, ...more]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `Cannot listen on 127.0.0.1:${port}`);
      if (Deno.build.os === "linux") assertStringIncludes(stderr, `process ${Deno.pid} `);
      assertStringIncludes(stderr, "--port 0");
    }
  } finally {
    listener.close();
  }
});

Deno.test("mp run with a state folder that cannot be made says what to set", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const env = { XDG_STATE_HOME: join(sandbox.folder, "hello.ts") };
  for (const args of [["run", "hello.ts"], ["run", "hello.ts", "-d"], ["ps"]]) {
    const { code, stderr } = await sandbox.run(args, { env });
    assertEquals(code, 1, args.join(" "));
    assertStringIncludes(stderr, "XDG_STATE_HOME");
  }
});

testWith(
  needsSystem("linux"),
  "a launcher that was killed with -9 blocks nothing and leaves nothing",
  async () => {
    await using sandbox = await withScript(HELLO, "hello.ts");
    await deploy(sandbox, "hello.ts");
    const [{ pid }] = JSON.parse((await sandbox.run(["ps", "--json"])).stdout);
    Deno.kill(pid, "SIGKILL");
    await gone(sandbox);
    assertEquals((await sandbox.run(["ps", "--json"])).stdout, "[]\n");
    await deploy(sandbox, "hello.ts");
    assertEquals(await call(sandbox, "hello"), "hello, world");
    await sandbox.run(["delete"]);
  },
);

/** Resolves when no process of the sandbox is left; fails after twenty seconds. */
async function gone(sandbox: Sandbox): Promise<void> {
  const since = performance.now();
  while ((await sandbox.processes()).length > 0) {
    assert(performance.now() - since < 20_000, "processes are left after 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("SIGINT at any moment of the start leaves nothing", async () => {
  await using sandbox = await withScript(COUNT, "count.ts");
  for (let after = 100; after <= 600; after += 100) {
    const run = sandbox.start(["run", "count.ts", "--port", "0"]);
    // any moment will do, so that there is no event to wait for
    await new Promise((resolve) => setTimeout(resolve, after));
    run.kill("SIGINT");
    const { code, stderr } = await run.ended;
    assert(code !== 2, stderr);
    await gone(sandbox);
  }
  assertEquals((await sandbox.run(["ps", "--json"])).stdout, "[]\n");
});

Deno.test("a second Ctrl-C does not wait for calls that are being answered", async () => {
  await using sandbox = await withScript(
    `import * as mp from "@metaparticle/mp";
     mp.service("slow", () => {
       console.log("begun");
       return new Promise(() => {});
     }).expose = true;`,
    "slow.ts",
  );
  const run = sandbox.start(["run", "slow.ts", "--port", "0"]);
  await run.line("listening on");
  const calling = sandbox.start(["client", "slow"]);
  await run.line("begun");
  run.kill("SIGINT");
  await run.line("once more ends everything at once");
  run.kill("SIGINT");
  assertEquals((await run.ended).code, 130);
  assertEquals((await calling.ended).code, 1);
  await gone(sandbox);
  assertEquals((await sandbox.run(["ps", "--json"])).stdout, "[]\n");
});

testWith(needsSystem("linux", "darwin"), "mp is quiet when nobody reads its output", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  await deploy(sandbox, "hello.ts");
  for (let i = 0; i < 3; i++) await call(sandbox, "hello");
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const firstLine = async (line: string) => {
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `"${Deno.execPath()}" run -A --unstable-net "${main}" ${line} | head -1`],
      env: { XDG_STATE_HOME: join(sandbox.folder, "state"), NO_COLOR: "1" },
      signal: AbortSignal.timeout(20_000),
    }).output();
    const decoder = new TextDecoder();
    assertEquals(decoder.decode(stderr), "", line);
    return decoder.decode(stdout);
  };
  assertMatch(await firstLine("help"), /^mp: .*\n$/);
  assertEquals(await firstLine("logs hello"), "hello[0] | asked by world\n");
  // who follows notices at the next line
  let over = false;
  const following = firstLine("logs hello -f").finally(() => over = true);
  while (!over) await call(sandbox, "hello");
  assertEquals(await following, "hello[0] | asked by world\n");
  await sandbox.run(["delete"]);
});

Deno.test("mp doctor finds everything in order, and gives it as JSON", async () => {
  await using sandbox = await mpSandbox();
  const { code, stdout } = await sandbox.run(["doctor", "--json"]);
  const { ok, checks } = JSON.parse(stdout);
  assertEquals([code, ok], [0, true]);
  const names = checks.map(({ name }: { name: string }) => name);
  for (const name of ["Deno", "esbuild", "state folder", "sockets", "replicas", "no orphans"]) {
    assert(names.includes(name), name);
  }
});

Deno.test("mp doctor fails where the state folder cannot be written", async () => {
  await using sandbox = await withScript(HELLO, "hello.ts");
  const env = { XDG_STATE_HOME: join(sandbox.folder, "hello.ts") };
  const { code, stdout } = await sandbox.run(["doctor"], { env });
  assertEquals(code, 1);
  assertMatch(stdout, /✘ state folder: .*not a directory\n {2}→ /);
});
