// The real program with containers.
import { assert, assertEquals } from "@std/assert";
import { LABELS } from "../../drivers/docker/names.ts";
import type { ListedContainer } from "../../drivers/docker/containers.ts";
import { leftInEngine, needsEngine, testEngine } from "../support/engine.ts";
import { type MpOptions, mpSandbox, type Sandbox } from "../support/mp.ts";
import { testWith } from "../support/needs.ts";
import { script } from "./launched.ts";

const needs = await needsEngine();
const PATIENCE = { timeout: 120_000 };

/** Where the engine is, which a sandbox hides. */
const ENGINE = { DOCKER_HOST: `unix://${testEngine().address.socketPath}` };

/** A sandbox whose deployments of an app are gone in the end, images and all. */
async function withEngine(app: string, body: (sandbox: Sandbox) => Promise<void>) {
  const sandbox = await mpSandbox(undefined, ENGINE);
  try {
    await body(sandbox);
  } finally {
    await sandbox.run(["delete", app, "--images"]);
    await sandbox[Symbol.asyncDispose]();
  }
  assertEquals(await leftInEngine(app), []);
}

async function mp(sandbox: Sandbox, args: readonly string[], options?: MpOptions): Promise<string> {
  const { code, stdout, stderr } = await sandbox.run(args, options);
  assertEquals(code, 0, `mp ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

async function containersOf(app: string): Promise<readonly ListedContainer[]> {
  const filters = JSON.stringify({ label: [`${LABELS.app}=${app}`] });
  return await testEngine().json("GET", "/containers/json", { query: { filters } });
}

const HISTOGRAM = script(`
  mp.service("hist", mp.scatter(3, (_, { replica }) => replica.index, (parts) => parts))
    .subservices.gather.expose = true;`);

testWith(
  needs,
  "mp run --driver docker -d goes on without mp, and others find it by its labels",
  async () => {
    await withEngine("e2e-detached", async (sandbox) => {
      const file = await sandbox.write("e2e-detached.ts", HISTOGRAM);
      const run = [
        "run",
        file,
        "--driver",
        "docker",
        "-d",
        "--wait",
        "--timeout",
        "2m",
        "--port",
        "0",
      ];
      await mp(sandbox, run);
      const names = (await containersOf("e2e-detached")).flatMap(({ Names }) => Names).sort();
      assertEquals(names, [
        "/e2e-detached.hist.gather.0",
        "/e2e-detached.hist.scatter.0",
        "/e2e-detached.hist.scatter.1",
        "/e2e-detached.hist.scatter.2",
      ]);
      // nothing of it is known to this user but to the engine
      const elsewhere = { env: { XDG_STATE_HOME: `${sandbox.folder}/other` } };
      assertEquals(await mp(sandbox, ["client", "hist"], elsewhere), "[0,1,2]\n");
      const [status] = JSON.parse(await mp(sandbox, ["ps", "--json", "e2e-detached"], elsewhere));
      assertEquals(
        [status.handle.driver, status.replicas.map(({ state }: { state: string }) => state)],
        ["docker", ["ready", "ready", "ready", "ready"]],
      );

      // a second run of the same script changes nothing, and builds nothing
      const { stderr } = await sandbox.run(run);
      assert(!stderr.includes("Building"), stderr);
      const ids = (list: readonly ListedContainer[]) => list.map(({ Id }) => Id).sort();
      const before = await containersOf("e2e-detached");
      await mp(sandbox, run);
      assertEquals(ids(await containersOf("e2e-detached")), ids(before));

      await mp(sandbox, ["restart", "e2e-detached", "hist.scatter.1"], elsewhere);
      await mp(sandbox, ["scale", "e2e-detached", "hist.scatter=4"], elsewhere);
      assertEquals(await mp(sandbox, ["client", "hist"]), "[0,1,2,3]\n");
      await mp(sandbox, ["delete", "e2e-detached"], elsewhere);
      assertEquals(
        (await leftInEngine("e2e-detached")).filter((one) => !one.startsWith("image")),
        [],
      );
    });
  },
);

testWith(
  needs,
  "mp run --driver docker shows lines, restarts what is killed, and stops by Ctrl-C",
  async () => {
    await withEngine("e2e-attached", async (sandbox) => {
      const file = await sandbox.write(
        "e2e-attached.ts",
        script(`
        mp.service("count", mp.spread(2, async (word) => {
          console.log("counting " + word);
          return await mp.scoped("hits", (scope) => scope.n = (scope.n ?? 0) + 1);
        })).subservices.shard.expose = true;`),
      );
      const args = ["run", file, "--driver", "docker", "--port", "0"];
      const program = sandbox.start(args);
      await program.line("listening on", PATIENCE);
      assertEquals(await mp(sandbox, ["client", "count", '"one"']), "1\n");
      await program.line(/count\.compute\[\d\] \| counting one/, PATIENCE);
      const followed = sandbox.start(["logs", "e2e-attached", "-f"]);
      await followed.line("counting one", PATIENCE);

      const [victim] = (await containersOf("e2e-attached"))
        .filter(({ Labels }) => Labels[LABELS.path] === "count.compute");
      await testEngine().json("POST", `/containers/${victim!.Id}/kill`);
      await program.line("killed by SIGKILL", PATIENCE);
      await program.line("is ready again", PATIENCE);
      assertEquals(await mp(sandbox, ["client", "count", '"two"']), "2\n");
      await followed.line("counting two", PATIENCE);
      followed.kill("SIGTERM");
      await followed.ended;

      program.kill("SIGINT");
      assertEquals((await program.ended).code, 0);
      assertEquals((await leftInEngine("e2e-attached")).filter((one) => !one.startsWith("image")), [
        "volume mp-e2e-attached-data",
      ]);
      // the data is where the next run finds it
      const again = sandbox.start(args);
      await again.line("listening on", PATIENCE);
      assertEquals(await mp(sandbox, ["client", "count", '"three"']), "3\n");
      again.kill("SIGINT");
      await again.ended;
    });
  },
);

testWith(needs, "mp run --driver docker leaves alone what belongs to others", async () => {
  const engine = testEngine();
  await withEngine("e2e-foreign", async (sandbox) => {
    const file = await sandbox.write("e2e-foreign.ts", script(`mp.service("one", () => 1);`));
    const run = ["run", file, "--driver", "docker", "-d", "--wait"];
    await mp(sandbox, run);
    const [own] = await containersOf("e2e-foreign");
    const Image = (await engine.json("GET", `/containers/${own!.Id}/json`)).Image;
    await mp(sandbox, ["delete", "e2e-foreign"]);
    const query = { name: "e2e-foreign.one.0" };
    const { Id } = await engine.json("POST", "/containers/create", {
      query,
      body: { Image, Cmd: ["x"] },
    });
    try {
      const { code, stderr } = await sandbox.run(run);
      assertEquals(code, 1);
      assert(stderr.includes('Cannot create container "e2e-foreign.one.0": another one'), stderr);
      await engine.json("GET", `/containers/${Id}/json`);
      // a container has the labels of its image, and is none of the deployment's for that
      const left = await leftInEngine("e2e-foreign");
      assertEquals(left.filter((one) => !/^image|data$/.test(one)), [
        "container /e2e-foreign.one.0 (created)",
      ]);
    } finally {
      await engine.json("DELETE", `/containers/${Id}`, { query: { force: true } });
    }
  });
});

testWith(needs, "mp ps says that a container needed more memory than it may have", async () => {
  await withEngine("e2e-memory", async (sandbox) => {
    const file = await sandbox.write(
      "e2e-memory.ts",
      script(`
        const kept = [];
        mp.service("hog", mp.spread(1, () => { for (;;) kept.push(new Uint8Array(1 << 24).fill(1)); },
          { resources: { memory: 256 } })).subservices.shard.expose = true;`),
    );
    const program = sandbox.start(["run", file, "--driver", "docker", "--port", "0"]);
    await program.line("listening on", PATIENCE);
    await sandbox.run(["client", "hog"]);
    await program.line("more memory than its resources allow", PATIENCE);
    await program.line("is ready again", PATIENCE);
    program.kill("SIGINT");
    await program.ended;
  });
});

testWith(needs, "mp run --driver docker that is interrupted early leaves nothing", async () => {
  await withEngine("e2e-early", async (sandbox) => {
    const body = `mp.service("one", mp.spread(4, () => ${Date.now()}));`;
    const file = await sandbox.write("e2e-early.ts", script(body));
    const program = sandbox.start(["run", file, "--driver", "docker", "--port", "0"]);
    await program.line("Building", PATIENCE);
    program.kill("SIGINT");
    assertEquals((await program.ended).code, 1);
    const left = await leftInEngine("e2e-early");
    assertEquals(left.filter((one) => !/^image|data$/.test(one)), []);
  });
});

Deno.test("mp run --driver docker says that there is no engine, and leaves nothing", async () => {
  await using sandbox = await mpSandbox();
  const file = await sandbox.write("none.ts", script(`mp.service("one", () => 1);`));
  const env = { DOCKER_HOST: `unix://${sandbox.folder}/none.sock` };
  const { code, stderr } = await sandbox.run(["run", file, "--driver", "docker"], { env });
  assertEquals(code, 1);
  assert(stderr.includes("Cannot reach a container engine: nothing answers at"), stderr);
  assert(stderr.includes("Start Docker or Podman"), stderr);
  assertEquals(await mp(sandbox, ["ps"], { env }), "");
});
