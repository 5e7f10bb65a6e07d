import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { kubernetesDriver } from "../../../drivers/kubernetes/driver.ts";
import { readNote } from "../../../drivers/kubernetes/note.ts";
import {
  assignOrder,
  handleOf,
  launchAssigned,
  renderOrder,
} from "../../../runtime/launch/deployed.ts";
import type { KubeObject } from "../../../drivers/kubernetes/kube_object.ts";
import type { KubernetesManifest } from "../../../drivers/kubernetes/manifest.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { DriverSettings, LogOptions } from "../../../runtime/launch/driver.ts";
import { callDoor, line, PATIENCE, until } from "../../conformance/driver/stage.ts";
import type { Stored } from "../../support/kubernetes/object_store.ts";
import { ONE, stageTest } from "./staged.ts";

const patience = () => AbortSignal.timeout(PATIENCE);

stageTest("ready() says that an image cannot be pulled", async ({ stage }) => {
  const { deployment } = await stage.launch(await stage.order(ONE));
  const error = await assertRejects(() => deployment.ready(patience()), MpError);
  assertEquals(error.code, "launch_failed");
  assertStringIncludes(
    error.message,
    "Cannot run one[0]: its image cannot be pulled: Back-off pulling image",
  );
  assertStringIncludes(error.next!, "--image");
}, { image: "registry.example/not-there:1" });

stageTest("ready() says what a replica wrote last that ends again and again", async ({ stage }) => {
  const order = await stage.order(
    `if (Deno.env.get("MP_ROLE") === "replica") { console.log("so it ends"); Deno.exit(7); }\n${ONE}`,
  );
  const { deployment } = await stage.launch(order);
  const error = await assertRejects(() => deployment.ready(patience()), MpError);
  assertEquals(error.code, "crash_loop");
  assertStringIncludes(error.message, "Cannot keep one[0] running: exited with 7");
  assertStringIncludes(error.message, "It said last:\n  so it ends");
});

stageTest("status() says that no node takes a pod", async ({ stage, standIn }) => {
  standIn.pods.capacity = 1;
  const order = await stage.order(`mp.service("many", mp.spread(2, () => 1));`);
  const { deployment } = await stage.launch(order);
  const status = await until(deployment, (all) => all.some(({ message }) => message !== undefined));
  const waiting = status.find(({ message }) => message !== undefined)!;
  assertEquals([waiting.state, waiting.message], [
    "starting",
    "no node takes it: 0/1 nodes are available: 1 Too many pods.",
  ]);
});

stageTest("ready() says that a quota is exceeded", async ({ stage, standIn }) => {
  standIn.pods.quota = 1;
  const order = await stage.order(`mp.service("many", mp.spread(2, () => 1));`);
  const { deployment } = await stage.launch(order);
  const error = await assertRejects(() => deployment.ready(patience()), MpError);
  assertEquals([error.code, error.reason], ["launch_failed", "quota"]);
  assertStringIncludes(error.message, "it exceeds the quota few, requested: pods=1, used: pods=1");
});

stageTest(
  "launch() leaves objects of others alone, and nothing of its own",
  async ({ stage, standIn }) => {
    const theirs = standIn.api.store.put("services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "shop", namespace: "default", labels: { theirs: "yes" } },
      spec: { ports: [{ port: 80 }] },
    } as unknown as Stored);
    const order = await stage.order(ONE);
    const error = await assertRejects(() => stage.launch(order), MpError);
    assertEquals(error.code, "cluster_refused");
    assertStringIncludes(
      error.message,
      'there is one of that name in namespace "default", and mp did not make it for app "shop"',
    );
    assertEquals(await stage.left(), []);
    assertEquals(standIn.api.store.get("services", "default", "shop"), theirs);
    standIn.api.store.delete("services", "default", "shop");
  },
);

for (const kind of ["statefulsets", "deployments", "secrets", "services"]) {
  stageTest(`launch() leaves nothing when ${kind} are refused`, async ({ stage, standIn }) => {
    standIn.api.fail({
      method: "PATCH",
      path: new RegExp(`/${kind}/`),
      status: 403,
      body: {
        reason: "Forbidden",
        message: `${kind} "x" is forbidden: exceeded quota: few, requested: 1, used: 1, limited: 1`,
      },
    });
    const order = await stage.order(`mp.service("many", mp.spread(2, () => 1), { expose: true });`);
    const error = await assertRejects(() => stage.launch(order), MpError);
    assertStringIncludes(error.message, "it exceeds the quota few");
    assertEquals(await stage.left(), []);
  });
}

stageTest(
  "launch() leaves nothing when it is interrupted during the rollout",
  async ({ stage }) => {
    const stop = new AbortController();
    const order = await stage.order(`mp.service("many", mp.spread(3, () => 1), { expose: true });`);
    const { deployment } = await stage.launch(order, { signal: stop.signal });
    const ready = assertRejects(() => deployment.ready());
    stop.abort();
    await ready;
    await deployment.delete();
    assertEquals(await stage.left(), []);
  },
);

stageTest("lines() hands on what replicas write, in whatever stream", async ({ stage }) => {
  const order = await stage.order(
    `mp.service("loud", (text) => (console.log("out " + text), console.error("err " + text)), { expose: true });`,
  );
  const played = await stage.launch(order);
  const [out, err] = [played.deployment.lines(), played.deployment.lines()];
  await played.deployment.ready(patience());
  await stage.call(played, "loud", "wörd");
  const { path, index } = await line(out, ({ text }) => text === "out wörd");
  assertEquals([path, index], ["loud", 0]);
  await line(err, ({ text }) => text === "err wörd");
});

stageTest("logs() reads what pods wrote, and goes on with what they write", async ({ stage }) => {
  const played = await stage.play(
    `mp.service("loud", (text) => console.log("said " + text), { expose: true });`,
  );
  for (const text of ["one", "two", "three"]) await stage.call(played, "loud", text);
  const { deployment } = played;
  const texts = async (options: LogOptions) =>
    (await Array.fromAsync(deployment.logs!(options))).map(({ text }) => text);
  assertEquals((await texts({})).filter((text) => text.startsWith("said")), [
    "said one",
    "said two",
    "said three",
  ]);
  assertEquals(await texts({ tail: 1 }), ["said three"]);
  assertEquals(await texts({ replica: () => false }), []);
  const stop = new AbortController();
  const said: string[] = [];
  for await (const { text } of deployment.logs!({ tail: 1, follow: true, signal: stop.signal })) {
    said.push(text);
    if (said.length === 1) await stage.call(played, "loud", "four");
    if (said.length === 2) stop.abort();
  }
  assertEquals(said, ["said three", "said four"]);
});

stageTest(
  "dryRun() says what would be made, or refused, and makes nothing",
  async ({ stage, standIn }) => {
    const driver = stage.driver as ReturnType<typeof kubernetesDriver>;
    const rendered = await renderOrder(await stage.order(ONE), driver) as KubernetesManifest;
    const lines = await driver.dryRun!(rendered, {});
    assert(lines.includes('Service "shop" would be made'), lines.join());
    assertEquals(await stage.left(), []);
    const { deployed: { order } } = await stage.play(ONE);
    const again = await driver.dryRun!(await renderOrder(order, driver) as KubernetesManifest, {});
    assertEquals(again.filter((one) => !one.endsWith(" would stay")), []);
    standIn.api.fail({
      method: "PATCH",
      path: /dryRun=All/,
      status: 422,
      body: { reason: "Invalid", message: "no" },
    });
    await assertRejects(() => driver.dryRun!(rendered, {}), MpError, "no");
  },
);

stageTest(
  "update() keeps nothing of the tree before but what both need",
  async ({ stage, standIn }) => {
    const first = await stage.play(ONE, { env: { A: "1" } });
    const before = new Set(await stage.left());
    // the same script with another environment: another tree of the same revision
    const second = await stage.update(first, await stage.order(ONE, { env: { A: "2" } }));
    const both = (await stage.left()).filter((one) => before.has(one));
    const kinds = both.map((one) => one.replace(/-[0-9a-f]{10}$/, ""));
    assertEquals(kinds.sort(), [
      "configmaps/shop-bundle",
      "networkpolicies/shop-doors",
      "networkpolicies/shop-peers",
      "serviceaccounts/shop",
      "services/shop",
    ]);
    const trees = new Set(
      standIn.api.store.list("pods").map(({ metadata }) =>
        metadata.labels!["metaparticle.io/tree"]
      ),
    );
    assertEquals([...trees], [second.deployed.book.tree]);
  },
);

stageTest("update() with recreate ends the old replicas first", async ({ stage, standIn }) => {
  const first = await stage.play(ONE);
  let most = 0;
  const stop = standIn.api.store.listen(({ collection }) => {
    if (collection === "pods") most = Math.max(most, standIn.api.store.list("pods").length);
  });
  const settings = { ...stage.place.settings, recreate: true };
  const order = await stage.order(ONE.replace("answer", "other"), { settings });
  const second = await stage.update(first, order);
  stop();
  assertEquals([most, await stage.call(second, "one")], [1, "other"]);
});

stageTest(
  "launch() keeps the deployment's secret, and passwords, in Secrets only",
  async ({ stage, standIn }) => {
    await stage.play(ONE, { env: { TOKEN: "pass-wörd" } });
    const { store } = standIn.api;
    const [peers] = store.list("secrets").filter(({ metadata }) => /-secret-/.test(metadata.name));
    const secret = atob(peers!.data.secret);
    assert(/^[0-9a-f]{64}$/.test(secret), "it is a random one");
    for (const kind of ["deployments", "statefulsets", "configmaps", "services"]) {
      const text = JSON.stringify(store.list(kind));
      assert(!text.includes(secret) && !text.includes("pass-wörd"), kind);
    }
    const [note] = store.list("secrets").filter(({ metadata }) => /-note-/.test(metadata.name));
    assertEquals(readNote(note as unknown as KubeObject)?.order.env.TOKEN, "pass-wörd");
  },
);

stageTest("reach() opens a port of this machine that leads to the door", async ({ stage }) => {
  const played = await stage.play(`mp.service("echo", (text) => text, { expose: true });`);
  const driver = stage.driver as ReturnType<typeof kubernetesDriver>;
  const [door] = played.deployed.book.doors;
  await using reached = await driver.reach(handleOf(played.deployed), door!.address);
  const book = { ...played.deployed.book, doors: [{ ...door!, address: reached.address }] };
  const long = "ä".repeat(300_000);
  const answers = await Promise.all(
    ["a", "b", long].map((text) => callDoor({ book }, "echo", [text])),
  );
  assertEquals(answers, ["a", "b", long]);
});

stageTest(
  "reach() says that no pod is ready, or that nothing is there",
  async ({ stage, standIn }) => {
    const driver = stage.driver as ReturnType<typeof kubernetesDriver>;
    const deployed = await assignOrder(await stage.order(ONE), stage.tools);
    const reach = () => driver.reach(handleOf(deployed), deployed.book.doors[0]!.address);
    const absent = await assertRejects(reach, MpError);
    assertStringIncludes(absent.message, 'there is no such Service in namespace "default"');
    standIn.pods.capacity = 0;
    stage.keep(await launchAssigned(deployed, stage.tools, {}));
    const early = await assertRejects(reach, MpError);
    assertStringIncludes(early.message, "pods is ready");
  },
);

stageTest("a file as storage is refused, with the reason", async ({ stage }) => {
  const file = await stage.order(ONE, { env: { MP_STORAGE: "file" } });
  const error = await assertRejects(() => stage.launch(file), MpError);
  assertEquals(error.code, "unsupported");
  assertStringIncludes(error.message, "a pod's own files are gone when it ends");
  assertStringIncludes(error.next!, "--volume-claim");
  const many = await stage.order(`mp.service("many", mp.spread(2, () => 1));`, {
    env: { MP_STORAGE: "file" },
    settings: { volumeClaim: "data" },
  });
  const shared = await assertRejects(() => stage.launch(many), MpError);
  assertStringIncludes(
    shared.message,
    "it has 3 replicas, each a pod that sees its own files only",
  );
});

stageTest("a replica without a storage says so when it uses a scope", async ({ stage }) => {
  const played = await stage.play(
    `mp.service("count", () => mp.scoped("all", (scope) => scope.n = (scope.n ?? 0) + 1), { expose: true });
     mp.service("one", () => "answer", { expose: true });`,
    { env: { MP_STORAGE: "" } },
  );
  assertEquals(await stage.call(played, "one"), "answer");
  const error = await assertRejects(() => stage.call(played, "count"));
  assertStringIncludes((error as Error).message, "pods have no files that last");
});

stageTest("probe() tells of the cluster, or what is wrong with it", async ({ stage, standIn }) => {
  const { probe } = stage.driver;
  assertEquals(await probe!(), 'v1.32.0+stand-in, context "admin", namespace "default"');
  standIn.api.rights.set("admin", (verb) => verb !== "list");
  await assertRejects(() => probe!(), MpError, "may not list deployments.apps");
  standIn.api.rights.clear();
  const nowhere = kubernetesDriver({ env: () => undefined });
  assertStringIncludes(await nowhere.probe!(), "no kubeconfig");
});

stageTest("discover() finds nothing where nothing can be seen", async ({ stage, standIn }) => {
  await stage.play(ONE);
  const find = async () =>
    (await Array.fromAsync(stage.driver.discover!({}))).map(({ handle }) => handle.app);
  assertEquals(await find(), ["shop"]);
  standIn.api.rights.set("admin", (verb) => verb !== "list");
  assertEquals(await find(), []);
  standIn.api.rights.clear();
  assertEquals(await Array.fromAsync(kubernetesDriver({ env: () => undefined }).discover({})), []);
});

stageTest("recover() knows what runs", async ({ stage }) => {
  const { deployed, deployment } = await stage.play(ONE);
  const recovered = await stage.driver.recover!(handleOf(deployed), { logs: stage.folder });
  assertEquals(recovered!.deployment.status(), deployment.status());
  await recovered!.deployment.leave!();
});

stageTest("scale() leaves the pods that stay as they are", async ({ stage, standIn }) => {
  const first = await stage.play(
    `mp.service("even", mp.spread(2, () => 1)).subservices.shard.expose = true;`,
  );
  const pods = () =>
    new Map(standIn.api.store.list("pods").map(({ metadata }) => [metadata.name, metadata.uid]));
  const workloads = () => JSON.stringify(standIn.api.store.list("statefulsets").map(templateOf));
  const [before, template] = [pods(), workloads()];
  const down = await stage.scale(first, "even.compute", 1);
  const up = await stage.scale(down, "even.compute", 2);
  assertEquals(await stage.call(up, "even"), 1);
  for (const [name, uid] of pods()) {
    if (!name.endsWith("-1")) assertEquals(uid, before.get(name), name);
  }
  // with another template all pods would be replaced, one after the other
  assertEquals(workloads(), template);
});

function templateOf({ spec }: Stored): unknown {
  return spec.template;
}

stageTest("update() refuses to move a deployment to another namespace", async ({ stage }) => {
  const first = await stage.play(ONE);
  const moved = await stage.order(ONE.replace("answer", "other"), {
    settings: { ...stage.place.settings, namespace: "elsewhere" },
  });
  const error = await assertRejects(() => stage.update(first, moved), MpError);
  assertEquals(error.code, "usage");
  assertStringIncludes(error.message, 'in namespace "elsewhere": it runs in "default"');
  assertEquals(await stage.call(first, "one"), "answer");
});

stageTest(
  "discover() looks where an order says, and says why it cannot",
  async ({ stage, standIn }) => {
    await stage.play(ONE);
    const find = async (settings: DriverSettings) =>
      (await Array.fromAsync(stage.driver.discover!({ app: "shop", settings }))).length;
    assertEquals(await find({ namespace: "default" }), 1);
    assertEquals(await find({ namespace: "elsewhere" }), 0);
    standIn.api.rights.set("admin", (verb) => verb !== "list");
    await assertRejects(() => find({}), MpError, "may not list");
    standIn.api.rights.clear();
  },
);
