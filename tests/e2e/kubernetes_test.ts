import { assertEquals, assertStringIncludes } from "@std/assert";
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
