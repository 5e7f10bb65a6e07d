import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { credentialGetter } from "../../../../drivers/kubernetes/api/credentials.ts";
import type {
  ClusterAccess,
  CredentialSource,
} from "../../../../drivers/kubernetes/api/kubeconfig.ts";
import { MpError } from "../../../../runtime/errors.ts";

function access(credentials: CredentialSource): ClusterAccess {
  return { context: "dev", server: "https://s", ca: "authority", insecure: false, credentials };
}

/** A plug-in: a script of a shell, in a folder of its own. */
async function withPlugin(
  script: string,
  body: (plugin: { exec: CredentialSource["exec"]; folder: string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    await Deno.writeTextFile(join(folder, "plugin"), `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "./plugin",
      args: ["get", "token"],
      env: { REGION: "north" },
      installHint: "Install it from example.org",
      provideClusterInfo: true,
      folder,
    };
    await body({ exec, folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const answer = (status: Record<string, string>) => `echo '${JSON.stringify({ status })}'`;

Deno.test("credentialGetter() takes a token, a name and password, or a file", async () => {
  const get = async (credentials: CredentialSource) =>
    (await credentialGetter(access(credentials)).get()).authorization;
  assertEquals(await get({ token: "t" }), "Bearer t");
  assertEquals(await get({ username: "ada", password: "x" }), `Basic ${btoa("ada:x")}`);
  assertEquals(await get({}), undefined);
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "from a file\n");
  assertEquals(await get({ tokenFile: file }), "Bearer from a file");
  await Deno.remove(file);
  await assertRejects(() => get({ tokenFile: file }), MpError, "Cannot read the token");
});

Deno.test("credentialGetter() runs a plug-in once, tells it of the cluster, and anew when asked", async () => {
  const script = `echo "$1 $2 $REGION $KUBERNETES_EXEC_INFO" >> "$0.calls"\n${
    answer({ token: "made", expirationTimestamp: "2999-01-01T00:00:00Z" })
  }`;
  await withPlugin(script, async ({ exec, folder }) => {
    const getter = credentialGetter(access({ exec }));
    assertEquals((await getter.get()).authorization, "Bearer made");
    assertEquals((await getter.get()).authorization, "Bearer made");
    const calls = () => Deno.readTextFileSync(join(folder, "plugin.calls")).trim().split("\n");
    assertEquals(calls().length, 1);
    const [first] = calls();
    assertStringIncludes(first!, "get token north ");
    assertEquals(JSON.parse(first!.slice("get token north ".length)), {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      spec: {
        interactive: false,
        cluster: { server: "https://s", "certificate-authority-data": btoa("authority") },
      },
    });
    await getter.get(true);
    assertEquals(calls().length, 2);
  });
});

Deno.test("credentialGetter() runs a plug-in again when what it gave expires", async () => {
  const script = `echo >> "$0.calls"\n${
    answer({
      clientCertificateData: "c",
      clientKeyData: "k",
      expirationTimestamp: "2020-01-01T00:00:00Z",
    })
  }`;
  await withPlugin(script, async ({ exec, folder }) => {
    const getter = credentialGetter(access({ exec }));
    assertEquals(await getter.get(), { certificate: "c", key: "k" });
    await getter.get();
    assertEquals(Deno.readTextFileSync(join(folder, "plugin.calls")), "\n\n");
  });
});

Deno.test("credentialGetter() says what went wrong with a plug-in", async () => {
  const refused = async (script: string, change: Record<string, unknown> = {}) => {
    let error: MpError | undefined;
    await withPlugin(script, async ({ exec }) => {
      const source = { exec: { ...exec!, ...change } };
      error = await assertRejects(() => credentialGetter(access(source)).get(), MpError);
    });
    return [error!.message, error!.next];
  };
  const cannot = 'Cannot get credentials from "./plugin": ';
  const next = "Install it from example.org";
  assertEquals(await refused("echo first >&2; echo log in first >&2; exit 3"), [
    `${cannot}it exited with 3 (log in first)`,
    next,
  ]);
  assertEquals(await refused("echo no"), [`${cannot}it printed no JSON`, next]);
  assertEquals(await refused(answer({})), [
    `${cannot}it printed neither a token nor a certificate`,
    next,
  ]);
  assertEquals(await refused("", { command: "mp-no-such-plugin", installHint: undefined }), [
    'Cannot get credentials from "mp-no-such-plugin": there is no such program',
    "Run it by hand to see what is wrong",
  ]);
});
