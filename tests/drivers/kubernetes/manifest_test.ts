import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseAll } from "@std/yaml";
import { assignPods } from "../../../drivers/kubernetes/assign.ts";
import { formatYaml } from "../../../drivers/kubernetes/format_yaml.ts";
import type { KubeObject } from "../../../drivers/kubernetes/kube_object.ts";
import { allObjects, renderManifest } from "../../../drivers/kubernetes/manifest.ts";
import type { KubernetesSettings } from "../../../drivers/kubernetes/settings.ts";
import { treeName } from "../../../drivers/kubernetes/tree_name.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import { wrongIn } from "../../support/kubernetes/schemas.ts";
import { histogram, nested, SETTINGS } from "./plans.ts";

function render(plan: Plan, more: Partial<KubernetesSettings> = {}) {
  const tree = treeName(plan, 1);
  return renderManifest(plan, assignPods(plan, { tree, port: 3000 }), { ...SETTINGS, ...more });
}

const find = (objects: readonly KubeObject[], kind: string, name: RegExp) => {
  const found = objects.filter((one) => one.kind === kind && name.test(one.metadata.name));
  assertEquals(found.length, 1, `${kind} ${name}: ${found.map((one) => one.metadata.name)}`);
  // deno-lint-ignore no-explicit-any -- any field of any kind
  return found[0] as any;
};

for (const [name, plan] of Object.entries({ histogram, nested })) {
  Deno.test(`renderManifest() makes the objects of the snapshot ${name}.yaml.snap`, async () => {
    const file = new URL(`../../fixtures/kubernetes/${name}.yaml.snap`, import.meta.url);
    const text = formatYaml(allObjects(render(plan)));
    if (Deno.env.get("UPDATE_SNAPSHOTS")) await Deno.writeTextFile(file, text);
    assertEquals(text, await Deno.readTextFile(file));
  });

  Deno.test(`renderManifest() makes objects of ${name} that Kubernetes' schemas allow`, () => {
    const volumes = { claim: "data", files: { MP_AUTH_USERS: "ada:x" } };
    for (const more of [{}, { namespace: "apps", pullPolicy: "Never" as const }, volumes]) {
      for (const object of allObjects(render(plan, more))) {
        assertEquals(wrongIn(object), [], `${object.kind} ${object.metadata.name}`);
      }
    }
  });
}

Deno.test("wrongIn() finds fields that are not there, so that the tests above can fail", () => {
  const [object] = allObjects(render(histogram)).filter(({ kind }) => kind === "StatefulSet");
  assertEquals(wrongIn({ ...object!, spec: { ...object!.spec, replica: 3 } } as KubeObject), [
    '/spec must NOT have additional properties {"additionalProperty":"replica"}',
  ]);
});

Deno.test("renderManifest() makes indexed parts StatefulSets, and routers Deployments", () => {
  const objects = allObjects(render(nested));
  const of = (kind: string) =>
    objects.filter((one) => one.kind === kind)
      .map(({ metadata }) => metadata.name.replace(/-[0-9a-f]{8}-[0-9a-f]{4}$/, ""));
  assertEquals(of("StatefulSet"), ["words-compute", "words-compute-scatter"]);
  assertEquals(of("Deployment"), ["words-shard"]);
});

Deno.test("renderManifest() gives names the revision, and each StatefulSet its headless Service", () => {
  const manifest = render(histogram);
  assert(manifest.tree.startsWith(histogram.revision.slice(0, 8)));
  const objects = allObjects(manifest);
  const set = find(objects, "StatefulSet", /scatter/);
  assert(set.metadata.name.endsWith(manifest.tree));
  assertEquals(set.spec.serviceName, set.metadata.name);
  assertEquals(set.spec.podManagementPolicy, "Parallel");
  const service = find(objects, "Service", /scatter/);
  assertEquals([service.spec.clusterIP, service.spec.publishNotReadyAddresses], ["None", true]);
  assertEquals(service.spec.selector, set.spec.selector.matchLabels);
  assertEquals(set.spec.template.metadata.labels["metaparticle.io/tree"], manifest.tree);
});

Deno.test("assignPods() addresses pods by names that are known before they are there", () => {
  const { tree, book } = render(histogram);
  const scatter = `histogram-service-scatter-${tree}`;
  assertEquals(book.replicas[3], {
    path: "histogram-service.scatter",
    index: 2,
    peer: `tcp:${scatter}-2.${scatter}:4000`,
    http: `tcp:${scatter}-2.${scatter}:4001`,
  });
  assertEquals(book.replicas[0]!.shared, true);
  assertEquals(book.doors[0], {
    node: "histogram-service.gather",
    address: "tcp:histogram:3000",
    listen: "tcp:0.0.0.0:3000",
  });
});

Deno.test("renderManifest() makes pods that the Pod Security Standard restricted allows", () => {
  for (const { kind, spec } of allObjects(render(nested))) {
    if (kind !== "StatefulSet" && kind !== "Deployment") continue;
    // deno-lint-ignore no-explicit-any -- the pod's spec
    const pod = (spec as any).template.spec;
    const { securityContext } = pod;
    assertEquals(securityContext.runAsNonRoot, true);
    assert(securityContext.runAsUser > 0);
    assertEquals(securityContext.seccompProfile, { type: "RuntimeDefault" });
    assertEquals([pod.hostNetwork, pod.hostPID, pod.hostIPC], [undefined, undefined, undefined]);
    assertEquals(pod.automountServiceAccountToken, false);
    for (const { securityContext } of pod.containers) {
      assertEquals(securityContext.allowPrivilegeEscalation, false);
      assertEquals(securityContext.capabilities, { drop: ["ALL"] });
      assertEquals(securityContext.readOnlyRootFilesystem, true);
    }
    const kinds = pod.volumes.flatMap(({ name: _, ...volume }: object & { name: string }) =>
      Object.keys(volume)
    );
    for (const kind of kinds) assert(["projected", "emptyDir"].includes(kind), kind);
  }
});

Deno.test("renderManifest() gives pods time to drain, and probes by which busy is not dead", () => {
  const { spec: { template: { spec: pod } } } = find(
    allObjects(render(histogram)),
    "Deployment",
    /gather/,
  );
  const [{ env, livenessProbe, readinessProbe, startupProbe }] = pod.containers;
  const variable = (name: string) => env.find((one: { name: string }) => one.name === name)?.value;
  const milliseconds = Number(variable("MP_GRACE"));
  assert(Number(variable("MP_LINGER")) < milliseconds);
  assert(pod.terminationGracePeriodSeconds * 1000 > milliseconds);
  assertEquals(livenessProbe.httpGet.path, "/healthz");
  assert(livenessProbe.failureThreshold * livenessProbe.periodSeconds >= 60);
  assertEquals(readinessProbe.httpGet.path, "/readyz?once");
  assert(startupProbe.failureThreshold * startupProbe.periodSeconds >= 60);
});

Deno.test("renderManifest() lets only pods of the deployment reach its replicas", () => {
  const objects = allObjects(render(histogram));
  const peers = find(objects, "NetworkPolicy", /-peers$/);
  const app = { "metaparticle.io/app": "histogram" };
  assertEquals(peers.spec.podSelector, { matchLabels: app });
  assertEquals(peers.spec.policyTypes, ["Ingress"]);
  assertEquals(peers.spec.ingress[0].from, [{ podSelector: { matchLabels: app } }]);
  const doors = find(objects, "NetworkPolicy", /-doors$/);
  assertEquals(doors.spec.ingress, [{ ports: [{ protocol: "TCP", port: 3000 }] }]);
  const withDoor = objects.filter(({ kind, spec }) =>
    // deno-lint-ignore no-explicit-any -- the pod's labels
    kind !== "Service" && (spec as any)?.template?.metadata.labels["metaparticle.io/door"]
  );
  assertEquals(withDoor.map(({ kind }) => kind), ["Deployment"]);
});

Deno.test("renderManifest() makes a Service of each door, of the type that expose says", () => {
  const [door] = histogram.doors;
  const node = door!.node;
  const plan: Plan = {
    ...histogram,
    doors: [
      { ...door!, type: "LoadBalancer" },
      { port: 80, node, type: "NodePort", methods: door!.methods },
    ],
  };
  const objects = allObjects(render(plan, { port: 8080 }));
  const own = find(objects, "Service", /^histogram$/);
  assertEquals([own.spec.type, own.spec.ports[0].port, own.spec.ports[0].targetPort], [
    "LoadBalancer",
    8080,
    "rpc",
  ]);
  const fixed = find(objects, "Service", /^histogram-80$/);
  assertEquals([fixed.spec.type, fixed.spec.ports[0].port, fixed.spec.ports[0].targetPort], [
    "NodePort",
    80,
    "rpc-1",
  ]);
  const { spec: { template: { spec: pod } } } = find(objects, "Deployment", /gather/);
  assertEquals(pod.containers[0].ports.map((one: { name: string }) => one.name), [
    "peer",
    "http",
    "rpc",
    "rpc-1",
  ]);
});

Deno.test("renderManifest() keeps what is given at launch in Secrets, over what the script says", () => {
  const first = { ...histogram.nodes[0]!, env: { LEVEL: "script", OWN: "a $(HOME)" } };
  const plan = { ...histogram, nodes: [first, ...histogram.nodes.slice(1)] };
  const objects = allObjects(
    render(plan, { env: { LEVEL: "flag", MP_STORAGE: "redis://:secret@redis" } }),
  );
  const secret = find(objects, "Secret", /-env-/);
  assertEquals(atob(secret.data.MP_STORAGE), "redis://:secret@redis");
  const { spec: { template: { spec: pod } } } = find(objects, "Deployment", /gather/);
  const [{ env, envFrom }] = pod.containers;
  const values = Object.fromEntries(
    env.map(({ name, value }: { name: string; value: string }) => [name, value]),
  );
  assertEquals([values.LEVEL, values.OWN], [undefined, "a $$(HOME)"]);
  assertEquals(envFrom, [{ secretRef: { name: secret.metadata.name } }]);
  assert(!JSON.stringify(objects.filter(({ kind }) => kind !== "Secret")).includes("secret@"));
});

Deno.test("renderManifest() tells pods from each other where telemetry is collected", () => {
  const objects = allObjects(
    render(histogram, {
      env: { OTEL_DENO: "true", OTEL_RESOURCE_ATTRIBUTES: "team=$(a)", OTEL_SERVICE_NAME: "all" },
    }),
  );
  const { spec: { template: { spec: pod } } } = find(objects, "StatefulSet", /scatter/);
  const env: { name: string; value: string }[] = pod.containers[0].env;
  const names = env.map(({ name }) => name);
  const value = (wanted: string) => env.find(({ name }) => name === wanted)?.value;
  assertEquals(value("OTEL_SERVICE_NAME"), "all");
  assertEquals(
    value("OTEL_RESOURCE_ATTRIBUTES"),
    `service.namespace=${histogram.app},service.instance.id=$(MP_POD_NAME),` +
      `service.version=${histogram.revision},team=$$(a)`,
  );
  assert(names.indexOf("MP_POD_NAME") < names.indexOf("OTEL_RESOURCE_ATTRIBUTES"));
});

Deno.test("renderManifest() reserves and limits what a part asks for", () => {
  const [first, second] = histogram.nodes;
  const nodes = [{ ...first!, resources: { cpu: 0.5, memory: 256 } }, second!];
  const objects = allObjects(render({ ...histogram, nodes }));
  const resources = (kind: string, name: RegExp) =>
    find(objects, kind, name).spec.template.spec.containers[0].resources;
  const asked = { cpu: "500m", memory: "256Mi" };
  assertEquals(resources("Deployment", /gather/), { requests: asked, limits: asked });
  assertEquals(resources("StatefulSet", /scatter/), { requests: { cpu: "20m", memory: "64Mi" } });
});

Deno.test("renderManifest() names a bundle's ConfigMap by what it holds", () => {
  const map = (code: string) =>
    find(
      allObjects(render(histogram, { bundle: { ...SETTINGS.bundle, code } })),
      "ConfigMap",
      /bundle/,
    );
  assertEquals(map("one").metadata.name, map("one").metadata.name);
  assert(map("one").metadata.name !== map("two").metadata.name);
  assertEquals(map("one").immutable, true);
});

/** Text that hardly compresses, the same each time. */
function noise(bytes: number): string {
  let state = 1;
  return Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return String.fromCharCode(33 + (state >>> 16) % 90);
  }).join("");
}

Deno.test("renderManifest() leaves out a source map, and refuses a bundle, that does not fit", () => {
  const objects = allObjects(
    render(histogram, {
      bundle: { ...SETTINGS.bundle, code: noise(700_000), map: noise(700_000) },
    }),
  );
  assertEquals(Object.keys(find(objects, "ConfigMap", /bundle/).binaryData), ["bundle.mjs.gz"]);
  const error = assertThrows(
    () => render(histogram, { bundle: { ...SETTINGS.bundle, code: noise(1_500_000) } }),
    MpError,
  );
  assertEquals(error.code, "unsupported");
  assert(
    /its bundle has \d+ bytes even when compressed, and a ConfigMap holds 1048576/.test(
      error.message,
    ),
  );
});

Deno.test("renderManifest() shortens names that are too long, each to another, the same each time", () => {
  const path = `${"long-".repeat(11)}service`;
  const rename = (text: string) => text.replaceAll("histogram-service", path);
  const plan = JSON.parse(rename(JSON.stringify({ ...histogram, app: "a".repeat(63) }))) as Plan;
  const objects = allObjects(render(plan));
  assertEquals(objects, allObjects(render(plan)));
  for (const { kind, metadata, spec } of objects) {
    assert(metadata.name.length <= 63, metadata.name);
    // a pod's name is that of its set with its ordinal, and a label holds the set's with a hash
    if (kind === "StatefulSet") assert(metadata.name.length <= 52, metadata.name);
    for (const value of Object.values(metadata.labels ?? {})) assert(value.length <= 63, value);
    // deno-lint-ignore no-explicit-any -- the pod's labels
    const labels = (spec as any)?.template?.metadata.labels ?? {};
    for (const value of Object.values(labels)) assert((value as string).length <= 63);
  }
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("renderManifest() tells parts apart whose names would be the same", () => {
  const [first, second] = histogram.nodes;
  const plan: Plan = {
    ...histogram,
    nodes: [first!, second!, { ...first!, path: "histogram-service-scatter", service: "other" }],
  };
  const names = allObjects(render(plan)).filter(({ kind }) => /Set|Deploy/.test(kind))
    .map(({ metadata }) => metadata.name);
  assertEquals(new Set(names).size, 3);
});

Deno.test("formatYaml() writes what other parsers read as the same", () => {
  const tricky = {
    "1": "1e3",
    a: "0x1f",
    b: "yes",
    c: "null",
    d: "2026-01-01",
    e: "1_000",
    f: "0o17",
    g: "~",
    h: "a: b",
    i: "line\nline ",
    j: "12345678e1",
  };
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x", labels: tricky },
  };
  const text = formatYaml([object, object]);
  assertEquals(parseAll(text), [object, object]);
  // YAML 1.1, which Go's parsers partly follow, has more that is no string
  for (const value of ["1e3", "yes", "null", "1_000", "12345678e1", "0x1f"]) {
    assert(new RegExp(`: ['"]${value}['"]`).test(text), `${value} in ${text}`);
  }
});
