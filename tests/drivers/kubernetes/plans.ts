/**
 * Plans that the tests render.
 *
 * @module
 */

import type { KubernetesSettings } from "../../../drivers/kubernetes/settings.ts";
import type { Plan, PlanNode } from "../../../runtime/plan/plan.ts";

/** What is rendered besides a plan. */
export const SETTINGS: KubernetesSettings = {
  image: "registry.example/mp:1",
  bundle: { code: "export default 1;\n", map: "{}", script: "/shop/topology.ts" },
  secret: "what only replicas know",
  env: {},
  port: 3000,
};

function node(more: Partial<PlanNode> & Pick<PlanNode, "path" | "service">): PlanNode {
  return {
    kind: "handler",
    replicas: 1,
    width: more.replicas ?? 1,
    state: "none",
    run: { kind: "bundle" },
    ports: [{ name: "peer", protocol: "mp" }, { name: "http", protocol: "http" }],
    needs: [],
    expose: false,
    timeout: 30_000,
    health: { stallLimit: 60_000 },
    env: {},
    resources: {},
    ...more,
  };
}

const scatter = "histogram-service.scatter";
const gather = "histogram-service.gather";

/** A scatter over three leaves. */
export const histogram: Plan = {
  app: "histogram",
  revision: "24b468714878031046688c72",
  bundle: "24b4687148780310",
  nodes: [
    node({
      path: gather,
      service: "histogram-service",
      kind: "scatter",
      needs: [scatter],
      expose: true,
    }),
    node({ path: scatter, service: "histogram-service", replicas: 3, state: "indexed" }),
  ],
  doors: [{ port: null, node: gather, methods: { "histogram-service": gather } }],
};

/** A shard over scatters. */
export const nested: Plan = {
  app: "nested",
  revision: "7c3a8468e9fba3e27e85a922",
  bundle: "7c3a8468e9fba3e2",
  nodes: [
    node({
      path: "words.shard",
      service: "words",
      kind: "shard",
      needs: ["words.compute"],
      expose: true,
    }),
    node({
      path: "words.compute",
      service: "words",
      kind: "scatter",
      replicas: 2,
      state: "keyed",
      needs: ["words.compute.scatter"],
    }),
    node({
      path: "words.compute.scatter",
      service: "words",
      replicas: 6,
      width: 3,
      state: "indexed",
    }),
  ],
  doors: [{ port: null, node: "words.shard", methods: { words: "words.shard" } }],
};
