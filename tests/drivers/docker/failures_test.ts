// What goes wrong with engines: a clear error, and nothing that is left for good.
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { withBundler } from "../../../runtime/script/bundler.ts";
import { stopBundler } from "../../../runtime/script/bundle.ts";
import { leftInEngine, testEngine } from "../../support/engine.ts";
import { mpSandbox } from "../../support/mp.ts";
import { needsProgram, needsSystem, testWith } from "../../support/needs.ts";
import { startProgram } from "../../support/program.ts";
import { startRegistry } from "../../support/servers/docker_registry.ts";
import { engineProxy } from "../../support/servers/engine_proxy.ts";
import { mp, needs, PATIENCE, script, withEngine } from "./with_engine.ts";

const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;
const root = isRoot ? {} : { absent: "only root may do this", elsewhere: true };
const SCRIPT = script(`mp.service("one", mp.spread(2, () => 1), { expose: true });`);

for (
  const [what, until] of [
    ["an image is built", /^POST \S*\/build/],
    ["containers are created", /^POST \S*\/containers\/create/],
    ["containers are started", /^POST \S*\/containers\/\w+\/start/],
  ] as const
) {
  testWith(needs, `mp run says that the engine has ended while ${what}`, async () => {
    await withEngine("docker-cut", async (sandbox) => {
      const file = await sandbox.write("docker-cut.ts", SCRIPT + `// ${what}`);
      await using proxy = await engineProxy(
        testEngine().address.socketPath!,
        sandbox.folder,
        until,
      );
      const env = { DOCKER_HOST: proxy.host };
      const args = ["run", file, "--driver", "docker", "--port", "0"];
      const { code, stderr } = await sandbox.run(args, { env });
      assertEquals(code, 1);
      assert(stderr.includes("Cannot reach a container engine"), stderr);
      // what it could not remove then is no deployment, and in nobody's way
      assertEquals(await mp(sandbox, "ps"), "");
      const again = ["-d", "--wait", "--timeout", "3m"];
      await mp(sandbox, ...args, ...again);
      assertEquals(await mp(sandbox, "client", "one"), "1\n");
    });
  });
}

testWith(
  [root, needsSystem("linux"), needsProgram("setpriv", "apt-get install util-linux")],
  "Engine.json() says that a user may not use the socket",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "mp-" });
    const path = join(folder, "engine.sock");
    using _listener = Deno.listen({ transport: "unix", path });
    try {
      // others may look into the folder, but not use the socket
      await Deno.chmod(folder, 0o755);
      await Deno.chmod(path, 0o600);
      const entry = fromFileUrl(new URL("../../../drivers/docker/engine.ts", import.meta.url));
      const program = join(folder, "ask.mjs");
      await withBundler((esbuild) =>
        esbuild.build({
          stdin: {
            contents: `import { engineAt } from ${JSON.stringify(entry)};
              const address = ${
              JSON.stringify({ socketPath: path, shown: path, chosenBy: "the test" })
            };
              await engineAt(address).json("GET", "/version").catch((error) =>
                console.log(JSON.stringify(error.toData()), error.message));`,
            resolveDir: folder,
          },
          bundle: true,
          format: "esm",
          platform: "node",
          outfile: program,
        })
      );
      await stopBundler();
      const deno = join(folder, "deno");
      await Deno.copyFile(Deno.execPath(), deno);
      await Deno.chmod(deno, 0o755);
      const { success, stdout, stderr } = await new Deno.Command("setpriv", {
        args: ["--reuid=65534", "--regid=65534", "--clear-groups", deno, "run", "-A", program],
        clearEnv: true,
        env: { DENO_DIR: join(folder, "none"), PATH: "/usr/bin:/bin" },
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert(success, new TextDecoder().decode(stderr));
      assert(text.includes(`you may not use ${path}`), text);
      assert(text.includes("usermod -aG docker"), text);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testWith(
  [
    needs,
    root,
    needsProgram("dockerd", "apt-get install docker.io"),
    needsProgram("unshare", "apt-get install util-linux"),
  ],
  "mp run says that the engine's disk is full, and leaves nothing half-made",
  async () => {
    await using sandbox = await mpSandbox();
    const folder = join(sandbox.folder, "engine");
    await Deno.mkdir(folder);
    const mount = ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder];
    assert((await new Deno.Command("mount", { args: mount }).output()).success);
    // sockets have short paths
    const host = `unix://${sandbox.folder}/e.sock`;
    // in a network of its own, for an engine removes bridges that it does not know
    const engine = startProgram("unshare", {
      args: [
        ...["--net", "dockerd", "--host", host, "--data-root", join(folder, "data")],
        ...["--exec-root", join(folder, "exec"), "--pidfile", join(folder, "pid")],
        ...["--bridge", "none", "--iptables=false", "--ip6tables=false"],
      ],
      cwd: sandbox.folder,
      env: { PATH: Deno.env.get("PATH")! },
    });
    try {
      await engine.line("API listen on", PATIENCE);
      const file = await sandbox.write("full.ts", SCRIPT);
      const env = { DOCKER_HOST: host };
      const { code, stderr } = await sandbox.run(["run", file, "--driver", "docker"], { env });
      assertEquals(code, 1);
      assert(/Cannot build .*no space left on device/.test(stderr), stderr);
      assert(stderr.includes("docker system prune"), stderr);
      const left = await (await fetchEngine(host, "/images/json")).json();
      assertEquals(left, []);
      assertEquals(
        await (await fetchEngine(host, "/volumes")).json().then((v) => v.Volumes ?? []),
        [],
      );
    } finally {
      engine.kill("SIGTERM");
      // one whose disk is full may wait for ever for what it has started
      const timer = setTimeout(() => engine.kill("SIGKILL"), 15_000);
      await engine.ended;
      clearTimeout(timer);
      await new Deno.Command("umount", { args: ["-l", folder] }).output();
    }
  },
);

async function fetchEngine(host: string, path: string): Promise<Response> {
  const proxy = { transport: "unix", path: host.slice("unix://".length) } as const;
  using client = Deno.createHttpClient({ proxy, poolMaxIdlePerHost: 0 });
  const response = await fetch(`http://engine${path}`, { client });
  return new Response(await response.text());
}

testWith(
  [needs, needsProgram("docker-registry", "apt-get install docker-registry")],
  "mp run --push hands the image to the registry that is named",
  async () => {
    await using registry = await startRegistry();
    await withEngine("docker-pushed", async (sandbox) => {
      const file = await sandbox.write("docker-pushed.ts", SCRIPT);
      const env = { DOCKER_REGISTRY: registry.host, DOCKER_IMAGE_PREFIX: "team" };
      const run = ["run", file, "--driver", "docker", "--port", "0", "-d", "--wait", "--push"];
      const { code, stderr } = await sandbox.run(run, { env });
      assertEquals(code, 0, stderr);
      const tags = await registry.tags("team/docker-pushed");
      assertEquals(tags.length, 1);
      const images = (await leftInEngine("docker-pushed")).filter((one) => one.startsWith("image"));
      assertEquals(images, [`image ${registry.host}/team/docker-pushed:${tags[0]}`]);

      await registry.kill();
      const changed = await sandbox.write("docker-pushed.ts", `${SCRIPT}console.log();`);
      const failed = await sandbox.run(["run", changed, ...run.slice(2)], { env });
      assertEquals(failed.code, 1);
      assert(failed.stderr.includes("Cannot push"), failed.stderr);
      assert(failed.stderr.includes("docker login"), failed.stderr);
      assertEquals(await mp(sandbox, "client", "one"), "1\n");
    });
  },
);
