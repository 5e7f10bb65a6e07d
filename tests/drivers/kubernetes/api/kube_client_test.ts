import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connection } from "../../../../drivers/kubernetes/api/connection.ts";
import { ApiError } from "../../../../drivers/kubernetes/api/api_error.ts";
import { follow } from "../../../../drivers/kubernetes/api/follow.ts";
import { KubeClient } from "../../../../drivers/kubernetes/api/kube_client.ts";
import { readAccess } from "../../../../drivers/kubernetes/api/kubeconfig.ts";
import type { KubeObject } from "../../../../drivers/kubernetes/kube_object.ts";
import { MpError } from "../../../../runtime/errors.ts";
import { ApiServer } from "../../../support/kubernetes/api_server.ts";

interface Tools {
  readonly api: ApiServer;
  readonly client: KubeClient;
  /** A client for another context, or another kubeconfig. */
  as(context: string, config?: string): KubeClient;
}

function test(name: string, body: (tools: Tools) => Promise<void>): void {
  Deno.test(name, async () => {
    await using api = await ApiServer.start();
    const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
    const clients: KubeClient[] = [];
    const as = (context: string, config = api.kubeconfig()): KubeClient => {
      const path = `${folder}/config-${clients.length}`;
      Deno.writeTextFileSync(path, config);
      const access = readAccess({
        context,
        env: (name) => name === "KUBECONFIG" ? path : undefined,
      });
      const client = new KubeClient(connection(access));
      clients.push(client);
      return client;
    };
    try {
      await body({ api, client: as("admin"), as });
    } finally {
      for (const client of clients) client.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const CONFIG_MAP = { apiVersion: "v1", kind: "ConfigMap" };
const map = (
  name: string,
  data: Record<string, string> = {},
  namespace = "default",
): KubeObject => ({
  ...CONFIG_MAP,
  metadata: { name, namespace, labels: { app: "a" } },
  data,
});
const id = (name: string) => ({ ...CONFIG_MAP, name, namespace: "default" });

async function refusal(body: () => Promise<unknown>): Promise<MpError> {
  return await assertRejects(body, MpError);
}

test("KubeClient applies, reads, lists and deletes, with a client certificate", async ({ api, client }) => {
  await client.apply(map("one", { a: "1", b: "2" }));
  assertEquals((await client.get(id("one")))?.data, { a: "1", b: "2" });
  // what is not applied any more is removed
  await client.apply(map("one", { a: "3" }));
  assertEquals((await client.get(id("one")))?.data, { a: "3" });
  await client.apply(map("two"));
  const { items } = await client.list(CONFIG_MAP, { namespace: "default", labels: { app: "a" } });
  assertEquals(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`), [
    "ConfigMap one",
    "ConfigMap two",
  ]);
  assertEquals(await client.delete(id("one")), true);
  assertEquals(await client.delete(id("one")), false);
  assertEquals(await client.get(id("one")), undefined);
  assertEquals(new Set(api.seen.map(({ user }) => user)), new Set(["admin"]));
  assert(
    api.seen.every(({ method, query }) => method !== "PATCH" || query.get("fieldManager") === "mp"),
  );
});

test("KubeClient keeps fields of others, and takes those that it applies", async ({ client }) => {
  await client.apply(map("one", { a: "1" }));
  await client.merge(id("one"), { data: { b: "theirs" } });
  assertEquals((await client.apply(map("one", { a: "2" }))).data, { a: "2", b: "theirs" });
});

test("KubeClient lists page by page", async ({ api, client }) => {
  for (let i = 0; i < 1_200; i++) api.store.put("configmaps", map(`m-${i}`) as never);
  assertEquals((await client.list(CONFIG_MAP, { namespace: "default" })).items.length, 1_200);
  assertEquals(api.seen.length, 3);
});

test("KubeClient changes nothing in a dry run, and hears what would be refused", async ({ client }) => {
  await client.apply(map("one"), { dryRun: true });
  assertEquals(await client.get(id("one")), undefined);
  const error = await refusal(() => client.apply(map("Not a name"), { dryRun: true }));
  assertEquals(error.code, "cluster_refused");
  assertStringIncludes(
    error.message,
    'Cannot apply ConfigMap "Not a name": metadata.name: Invalid value',
  );
});

test("KubeClient says when credentials are not accepted", async ({ as, api }) => {
  const config = api.kubeconfig({ users: [{ name: "admin", user: { token: "wrong" } }] });
  const error = await refusal(() => as("admin", config).get(id("one")));
  assertEquals(
    [error.message, error.next],
    [
      'Cannot read ConfigMap "one": the cluster does not accept the credentials of context "admin"',
      "Log in to the cluster again, or choose another context with --context",
    ],
  );
});

test("KubeClient says when a certificate has expired", async ({ as }) => {
  const error = await refusal(() => as("expired").get(id("one")));
  assertStringIncludes(
    error.message,
    'the client certificate of context "expired" expired on 2021-01-01',
  );
});

test("KubeClient names the right that is missing", async ({ as, api }) => {
  api.rights.set("viewer", (verb) => verb === "get" || verb === "list");
  const error = await refusal(() => as("viewer").apply(map("one")));
  assertEquals(
    error.message,
    'Cannot apply ConfigMap "one": user "viewer" of context "viewer" may not patch configmaps in namespace "default"',
  );
  assertStringIncludes(error.next!, "kubectl auth can-i patch configmaps -n default");
});

test("KubeClient says that a namespace is not there, or is going away", async ({ client, api }) => {
  const missing = await refusal(() => client.apply(map("one", {}, "nowhere")));
  assertStringIncludes(missing.message, 'there is no namespace "nowhere"');
  assertStringIncludes(missing.next!, "kubectl create namespace nowhere");
  api.terminating.add("default");
  const going = await refusal(() => client.apply(map("one")));
  assertStringIncludes(going.message, 'the namespace "default" is being deleted');
});

test("KubeClient tells conflicts", async ({ api, client }) => {
  api.fail({
    path: /configmaps/,
    status: 409,
    body: { reason: "AlreadyExists", message: 'configmaps "one" already exists' },
  });
  const error = await refusal(() => client.apply(map("one")));
  assert(error instanceof ApiError);
  assertEquals(error.status, 409);
  assertStringIncludes(error.message, "already exists");
});

test("KubeClient tells which fields are wrong", async ({ client }) => {
  const service: KubeObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "1st", namespace: "default" },
    spec: { ports: [{ port: 80 }] },
  };
  const error = await refusal(() => client.apply(service));
  assert(error instanceof ApiError);
  assertEquals(error.status, 422);
  assertStringIncludes(
    error.message,
    'Cannot apply Service "1st": metadata.name: Invalid value: "1st"',
  );
});

for (const status of [429, 500, 503]) {
  test(`KubeClient tries again after ${status}, and gives up in the end`, async ({ api, client }) => {
    api.fail({ path: /configmaps/, status, times: 2 });
    await client.apply(map("one"));
    api.fail({ path: /configmaps/, status, times: 5, body: { message: "no more" } });
    const error = await refusal(() => client.apply(map("one")));
    assertEquals([error.code, error.retryable], ["cluster_unavailable", true]);
  });
}

test("KubeClient does as a server asks that has too much to do", async ({ api, client }) => {
  api.fail({
    path: /configmaps/,
    status: 429,
    body: { details: { retryAfterSeconds: 0 } },
    times: 4,
  });
  await client.apply(map("one"));
});

test("follow() goes on when its watch is cut off, and begins anew when that is too long ago", async ({ api, client }) => {
  await client.apply(map("one"));
  const stop = new AbortController();
  const lists = follow(client, CONFIG_MAP, { namespace: "default", signal: stop.signal, pause: 1 });
  const next = async () => {
    const { value } = await lists.next();
    return (value as KubeObject[]).map(({ metadata }) => metadata.name);
  };
  /** The next list that is as wanted: changes come one by one. */
  const until = async (names: string[]) => {
    for (;;) if (JSON.stringify(await next()) === JSON.stringify(names)) return;
  };
  assertEquals(await next(), ["one"]);
  await client.apply(map("two"));
  await until(["one", "two"]);
  api.cutWatches();
  await client.apply(map("three"));
  await until(["one", "two", "three"]);
  await client.delete(id("two"));
  api.expireWatches();
  await until(["one", "three"]);
  api.fail({ path: /watch=1/, status: 500, times: 2 });
  api.cutWatches();
  await client.apply(map("four"));
  await until(["one", "three", "four"]);
  stop.abort();
  assertEquals((await lists.next()).done, true);
});

test("follow() ends with what will not pass", async ({ as, api }) => {
  api.rights.set("viewer", (verb) => verb !== "list");
  const signal = new AbortController().signal;
  const lists = follow(as("viewer"), CONFIG_MAP, { namespace: "default", signal });
  const error = await refusal(() => lists.next());
  assertStringIncludes(error.message, "may not list configmaps");
});

Deno.test("KubeClient says that nothing listens there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const access = {
    context: "gone",
    server: `https://127.0.0.1:${port}`,
    insecure: false,
    credentials: {},
  };
  const client = new KubeClient(connection(access));
  const error = await refusal(() => client.get(id("one")));
  assertEquals(
    error.message,
    `Cannot reach the cluster of context "gone" at https://127.0.0.1:${port}: nothing listens there`,
  );
  client.close();
});

test("KubeClient does not trust a server that others vouch for", async ({ api, as }) => {
  const cluster = { name: "stand-in", cluster: { server: api.url } };
  const error = await refusal(() =>
    as("admin", api.kubeconfig({ clusters: [cluster] })).get(id("one"))
  );
  assertEquals(error.code, "cluster_unavailable");
  assertStringIncludes(error.next!, "certificate-authority");
  const insecure = {
    name: "stand-in",
    cluster: { server: api.url, "insecure-skip-tls-verify": true },
  };
  const client = as("admin", api.kubeconfig({ clusters: [insecure] }));
  assertEquals(await client.get(id("one")), undefined);
});

Deno.test("KubeClient tells of a connection that breaks in the middle of a reply", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
  const event = `{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n`;
  const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
  const serving = (async () => {
    for await (const conn of listener) {
      await conn.read(new Uint8Array(4096));
      await conn.write(new TextEncoder().encode(head + chunk));
      conn.close();
    }
  })();
  const server = `http://127.0.0.1:${listener.addr.port}`;
  const client = new KubeClient(
    connection({ context: "frail", server, insecure: false, credentials: {} }),
  );
  const error = await refusal(() => client.get(id("one")));
  assertEquals(error.code, "cluster_unavailable");
  assertStringIncludes(error.message, 'Cannot reach the cluster of context "frail"');
  const seen: string[] = [];
  await refusal(async () => {
    for await (const { type } of client.watch(CONFIG_MAP, "1", {})) seen.push(type);
  });
  assertEquals(seen, ["ADDED"]);
  client.close();
  listener.close();
  await serving;
});

test("KubeClient ends a watch when it is told to", async ({ client }) => {
  const stop = new AbortController();
  const seen: string[] = [];
  await client.apply(map("one"));
  for await (const { object } of client.watch(CONFIG_MAP, "0", { signal: stop.signal })) {
    seen.push(object.metadata.name);
    stop.abort();
  }
  assertEquals(seen, ["one"]);
});
