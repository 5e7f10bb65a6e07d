import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseAll } from "@std/yaml";
import { mpSandbox } from "../support/mp.ts";
import { IMAGE, StandIn } from "../support/kubernetes/stand_in.ts";

const SCRIPT = `import * as mp from "@metaparticle/mp";
const leaf = (_: unknown, { replica }: mp.Context) => replica.name;
mp.service("names", mp.scatter(2, leaf, (parts: string[]) => parts)).subservices.gather.expose = true;
mp.serve();
`;

Deno.test("mp run --driver kubernetes runs a script that others reach, see, change and delete", async () => {
  await using standIn = await StandIn.start();
  await using here = await mpSandbox();
  // another machine, which knows of the cluster only
  await using there = await mpSandbox();
  const env = { KUBECONFIG: standIn.env("KUBECONFIG")! };
  const script = await here.write("shop.ts", SCRIPT);
  const driver = ["--driver", "kubernetes", "--image", IMAGE];
  const run = await here.run(["run", script, ...driver, "-d", "--wait"], { env });
  assertEquals(run.code, 0, run.stderr);
  for (const sandbox of [here, there]) {
    const client = await sandbox.run(["client", "names"], { env });
    assertEquals(client.stdout, '["names.scatter.0","names.scatter.1"]\n', client.stderr);
  }
  const ps = await there.run(["ps", "shop"], { env });
  assertEquals(ps.stdout.match(/ready/g)?.length, 3, ps.stdout + ps.stderr);
  const deleted = await there.run(["delete", "shop"], { env });
  assertEquals(deleted.code, 0, deleted.stderr);
  assertEquals(standIn.left("shop"), []);
});

Deno.test("mp ps, client, logs, scale and delete look in the namespace that is named, and nowhere else", async () => {
  await using standIn = await StandIn.start();
  await using here = await mpSandbox();
  await using there = await mpSandbox();
  const env = { KUBECONFIG: standIn.env("KUBECONFIG")! };
  const script = await here.write("shop.ts", SCRIPT);
  standIn.api.namespaces.add("shop");
  const shop = ["--namespace", "shop"];
  const options = ["--driver", "kubernetes", "--image", IMAGE, ...shop, "-d", "--wait"];
  const run = await here.run(["run", script, ...options], { env });
  assertEquals(run.code, 0, run.stderr);
  // in the namespace of the context there is nothing
  for (
    const command of [["ps", "shop"], ["client", "names"], ["logs", "shop"], ["delete", "shop"]]
  ) {
    assertEquals((await there.run(command, { env })).code, 1, command.join(" "));
  }
  const client = await there.run(["client", "names", ...shop], { env });
  assertEquals(client.stdout, '["names.scatter.0","names.scatter.1"]\n', client.stderr);
  const ps = await there.run(["ps", "--json", ...shop], { env });
  assertEquals(JSON.parse(ps.stdout)[0].handle.app, "shop", ps.stderr);
  const logs = await there.run(["logs", "shop", ...shop], { env });
  assertEquals(logs.code, 0, logs.stderr);
  const scaled = await there.run(["scale", "shop", "names.scatter=3", ...shop], { env });
  assertEquals(scaled.code, 0, scaled.stderr);
  const third = await there.run(["client", "names", ...shop], { env });
  assertEquals(JSON.parse(third.stdout).length, 3, third.stderr);
  const nowhere = await there.run(["ps", "--context", "nope"], { env });
  assertEquals(nowhere.code, 1);
  assertStringIncludes(nowhere.stderr, 'Cannot use context "nope": there is none of that name');
  const deleted = await there.run(["delete", "shop", ...shop], { env });
  assertEquals(deleted.code, 0, deleted.stderr);
  assertEquals(standIn.left("shop"), []);
});

Deno.test("mp delete --namespace touches nothing while an app of the same name runs here", async () => {
  await using standIn = await StandIn.start();
  await using here = await mpSandbox();
  await using there = await mpSandbox();
  const env = { KUBECONFIG: standIn.env("KUBECONFIG")! };
  standIn.api.namespaces.add("shop");
  const shop = ["--namespace", "shop"];
  const options = ["--driver", "kubernetes", "--image", IMAGE, ...shop, "-d", "--wait"];
  const run = await here.run(["run", await here.write("shop.ts", SCRIPT), ...options], { env });
  assertEquals(run.code, 0, run.stderr);
  const script = await there.write("shop.ts", SCRIPT);
  const own = await there.run(["run", script, "-d", "--wait", "--port", "0"], { env });
  assertEquals(own.code, 0, own.stderr);
  const deleted = await there.run(["delete", "shop", ...shop], { env });
  assertEquals(deleted.code, 1);
  assertStringIncludes(deleted.stderr, 'Cannot change "shop": another driver runs it too');
  assert(standIn.left("shop").length > 0);
  const client = await there.run(["client", "names"], { env });
  assertEquals(client.stdout, '["names.scatter.0","names.scatter.1"]\n', client.stderr);
  const ended = await there.run(["delete", "shop"], { env });
  assertEquals(ended.code, 0, ended.stderr);
});

Deno.test("mp export and mp run --dry-run=server show objects, and make none", async () => {
  await using standIn = await StandIn.start();
  await using sandbox = await mpSandbox();
  const env = { KUBECONFIG: standIn.env("KUBECONFIG")! };
  const script = await sandbox.write("shop.ts", SCRIPT);
  const driver = ["--driver", "kubernetes", "--image", IMAGE];
  const exported = await sandbox.run(["export", script, ...driver]);
  const again = await sandbox.run(["export", script, ...driver]);
  assertEquals(exported.stdout, again.stdout, exported.stderr);
  const names = (parseAll(exported.stdout) as { kind: string; metadata: { name: string } }[])
    .map(({ kind, metadata }) => `${kind} "${metadata.name}"`);
  const dryRun = await sandbox.run(["run", script, ...driver, "--dry-run=server"], { env });
  const lines = dryRun.stdout.trim().split("\n");
  // what is launched differs from what is exported in its secret only
  assertEquals(lines, names.map((name) => `${name} would be made`), dryRun.stderr);
  assertEquals(standIn.left("shop"), []);
  const nowhere = await sandbox.run(["run", script, ...driver, "--context", "nope"], { env });
  assertEquals(nowhere.code, 1);
  assertStringIncludes(nowhere.stderr, 'Cannot use context "nope": there is none of that name');
});

Deno.test("mp export --driver kubernetes refuses files that do not go along into pods", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("words.txt", "tea");
  const script = await sandbox.write(
    "shop.ts",
    SCRIPT.replace("mp.serve()", 'mp.files(import.meta.dirname + "/words.txt");\nmp.serve()'),
  );
  const { code, stderr } = await sandbox.run(
    ["export", script, "--driver", "kubernetes", "--image", IMAGE],
  );
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'Cannot take "words.txt" along into pods');
});
