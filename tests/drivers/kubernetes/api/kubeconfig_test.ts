import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { stringify } from "@std/yaml";
import { readAccess } from "../../../../drivers/kubernetes/api/kubeconfig.ts";
import { MpError } from "../../../../runtime/errors.ts";

const CONFIG = {
  "current-context": "dev",
  contexts: [
    { name: "dev", context: { cluster: "c", user: "u", namespace: "apps" } },
    { name: "lost", context: { cluster: "gone", user: "u" } },
    { name: "nobody", context: { cluster: "c", user: "gone" } },
  ],
  clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443" } }],
  users: [{ name: "u", user: { token: "t" } }],
};

async function withFiles(
  files: Record<string, unknown>,
  body: (folder: string) => void | Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    for (const [name, value] of Object.entries(files)) {
      const text = typeof value === "string" ? value : stringify(value);
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, name), text);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const env = (variables: Record<string, string>) => (name: string) => variables[name];

function refused(variables: Record<string, string>, context?: string): MpError {
  const error = assertThrows(() => readAccess({ context, env: env(variables) }), MpError);
  assertEquals(error.code, "cluster_unavailable");
  return error;
}

Deno.test("readAccess() reads the current context of ~/.kube/config, or another", () =>
  withFiles({ ".kube/config": CONFIG }, (HOME) => {
    const access = readAccess({ env: env({ HOME }) });
    assertEquals([access.context, access.server, access.namespace, access.credentials.token], [
      "dev",
      "https://10.0.0.1:6443",
      "apps",
      "t",
    ]);
  }));

Deno.test("readAccess() joins the files of KUBECONFIG, the first that has a name first", () => {
  const more = {
    "current-context": "other",
    contexts: [{ name: "other", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server: "https://late" } }],
  };
  return withFiles({ a: CONFIG, b: more }, (folder) => {
    const KUBECONFIG = [join(folder, "a"), join(folder, "none"), join(folder, "b")].join(":");
    const read = (context?: string) => readAccess({ context, env: env({ KUBECONFIG }) });
    assertEquals([read().context, read("other").server], ["dev", "https://10.0.0.1:6443"]);
  });
});

Deno.test("readAccess() reads certificates from files beside the kubeconfig", () => {
  const config = {
    ...CONFIG,
    clusters: [{
      name: "c",
      cluster: {
        server: "https://s",
        "certificate-authority": "ca.crt",
        "tls-server-name": "name",
        "insecure-skip-tls-verify": true,
      },
    }],
    users: [{
      name: "u",
      user: { "client-certificate": "u.crt", "client-key-data": btoa("key"), tokenFile: "token" },
    }],
  };
  return withFiles({ config, "ca.crt": "authority", "u.crt": "certificate" }, (folder) => {
    const access = readAccess({ env: env({ KUBECONFIG: join(folder, "config") }) });
    assertEquals([access.ca, access.serverName, access.insecure], ["authority", "name", true]);
    assertEquals(access.credentials, {
      certificate: "certificate",
      key: "key",
      tokenFile: join(folder, "token"),
    });
  });
});

Deno.test("readAccess() says that there is no kubeconfig", () => {
  const error = refused({ HOME: "/nobody" });
  assertEquals(
    error.message,
    "Cannot find a cluster: there is no kubeconfig at /nobody/.kube/config",
  );
  assertStringIncludes(error.next!, "KUBECONFIG");
});

Deno.test("readAccess() says that a context, its cluster or its user is not there", () =>
  withFiles({ config: CONFIG }, (folder) => {
    const KUBECONFIG = join(folder, "config");
    const unknown = refused({ KUBECONFIG }, "prod");
    assertEquals([unknown.message, unknown.next, unknown.where], [
      'Cannot use context "prod": there is none of that name',
      "The contexts are dev, lost, nobody",
      KUBECONFIG,
    ]);
    assertEquals(
      refused({ KUBECONFIG }, "lost").message,
      'Cannot use context "lost": cluster "gone" is not there',
    );
    assertEquals(
      refused({ KUBECONFIG }, "nobody").message,
      'Cannot use context "nobody": user "gone" is not there',
    );
  }));

Deno.test("readAccess() says that no context is current", () =>
  withFiles({ config: { ...CONFIG, "current-context": "" } }, (folder) => {
    const error = refused({ KUBECONFIG: join(folder, "config") });
    assertEquals([error.message, error.next], [
      "Cannot tell which cluster: no context is current",
      "Add --context, one of dev, lost, nobody",
    ]);
  }));

Deno.test("readAccess() names a file that cannot be read", () =>
  withFiles({
    a: "{ no",
    b: "[1]",
    c: {
      ...CONFIG,
      clusters: [{ name: "c", cluster: { server: "https://s", "certificate-authority": "none" } }],
    },
  }, (folder) => {
    for (
      const [name, said] of [["a", /Cannot read kubeconfig ".*a"/], ["b", /it is no mapping/], [
        "c",
        /Cannot read kubeconfig ".*none"/,
      ]] as const
    ) {
      const { message } = refused({ KUBECONFIG: join(folder, name) });
      assertEquals(said.test(message), true, message);
    }
  }));

Deno.test("readAccess() says that an auth provider is one of the past", () =>
  withFiles({
    config: { ...CONFIG, users: [{ name: "u", user: { "auth-provider": { name: "gcp" } } }] },
  }, (folder) => {
    const error = refused({ KUBECONFIG: join(folder, "config") });
    assertStringIncludes(error.message, 'auth provider "gcp" was removed from Kubernetes in 1.26');
  }));
