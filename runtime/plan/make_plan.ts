/**
 * The plan stage: `Topology` → `Plan`. Pure.
 *
 * @module
 */

import { type Guard, guardOf } from "../auth/guard.ts";
import { hash32 } from "../hash.ts";
import { INGRESS } from "../topology/names.ts";
import type { Expose } from "../topology/target.ts";
import { isPattern, type Topology } from "../topology/topology.ts";
import { type Placed, walk, type Widths } from "../topology/walk.ts";
import { MpError } from "../errors.ts";
import type { Door, Plan, PlanFile, PlanNode } from "./plan.ts";

/** What {@linkcode makePlan} is told besides the topology. */
export interface PlanOptions {
  /** The name of the app. */
  app: string;
  /** The hash of the bundle. */
  bundle: string;
  /** Numbers of replicas that differ from the script's, by path: how many each instance of the parent has. */
  widths?: Widths;
  /** Files that replicas read. Replicas themselves need not know. */
  files?: readonly PlanFile[];
}

const STALL_LIMIT = 60_000;
const MOST_REPLICAS = 100_000;

/**
 * Makes the plan of a topology.
 *
 * @returns A deeply frozen plan; equal topologies give equal plans.
 * @throws {MpError} `usage` when widths name a path that is not there; `topology_invalid` when two doors
 * share a port, or there are more than 100,000 replicas in all.
 */
export function makePlan(topology: Topology, options: PlanOptions): Plan {
  const { app, bundle, widths = {}, files = [] } = options;
  const placed = [...walk(topology, widths)];
  const exposed = new Map(placed.flatMap(({ path, expose }) => expose ? [[path, expose]] : []));
  const nodes = placed.map((place, i) => {
    // a guard is before a service as a whole: what receives its calls comes first
    const isRoot = place.service !== placed[i - 1]?.service;
    return nodeOf(
      place,
      isRoot ? guardOf(topology.services.get(place.service)!.target) : undefined,
    );
  });
  checkWidths(widths, placed);
  checkTotal(app, placed);
  const doors = doorsOf(nodes, exposed);
  if (doors.some((door) => door.node === INGRESS)) nodes.push(ingressNode(nodes));
  const revision = revisionOf(bundle, nodes);
  return deepFreeze({ app, revision, bundle, nodes, doors, ...(files.length > 0 && { files }) });
}

/** Whether one plan can become the other by adding and removing replicas of parts without state. */
export function scalesInPlace(from: Plan, to: Plan): boolean {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  return from.revision === to.revision && same(from.doors, to.doors) &&
    same(from.files, to.files) &&
    from.nodes.length === to.nodes.length &&
    from.nodes.every((node, i) => {
      const other = to.nodes[i]!;
      return node.path === other.path &&
        (node.replicas === other.replicas || (node.state === "none" && isOutermost(node)));
    });
}

/** Whether all replicas of a node are one set; others are numbered by the instance that owns them. */
function isOutermost({ path, service }: PlanNode): boolean {
  return !path.slice(service.length + 1).includes(".");
}

function nodeOf(place: Placed, guard: Guard | undefined): PlanNode {
  const { path, service, width, replicas, state, parts, timeout, env, resources } = place;
  return {
    path,
    service,
    kind: isPattern(place.target) ? place.target.pattern : "handler",
    replicas,
    width,
    state,
    run: { kind: "bundle" },
    ports: [{ name: "peer", protocol: "mp" }, { name: "http", protocol: "http" }],
    needs: Object.values(parts),
    expose: Boolean(place.expose),
    ...(guard &&
      { guard: { name: guard.name, usersFromOutside: Boolean(guard.usersFromOutside) } }),
    timeout,
    health: { stallLimit: STALL_LIMIT },
    env,
    resources,
  };
}

function ingressNode(nodes: readonly PlanNode[]): PlanNode {
  const exposed = nodes.filter((node) => node.expose);
  return {
    path: INGRESS,
    service: INGRESS,
    kind: INGRESS,
    replicas: 1,
    width: 1,
    state: "none",
    run: { kind: "bundle" },
    ports: [{ name: "peer", protocol: "mp" }, { name: "http", protocol: "http" }],
    needs: exposed.map((node) => node.path),
    expose: true,
    timeout: Math.max(...exposed.map((node) => node.timeout)),
    health: { stallLimit: STALL_LIMIT },
    env: {},
    resources: {},
  };
}

/**
 * The doors of a deployment. When one replica answers everything that is exposed, it is the ingress
 * itself and adds no hop; otherwise the built-in part `ingress` spreads over those that do.
 */
function doorsOf(nodes: readonly PlanNode[], exposed: ReadonlyMap<string, Expose>): Door[] {
  const shown = nodes.filter((node) => exposed.has(node.path));
  if (shown.length === 0) return [];
  const roots = new Map<string, string>();
  for (const node of nodes) if (!roots.has(node.service)) roots.set(node.service, node.path);
  const methodsOf = (of: readonly PlanNode[]): Record<string, string> =>
    Object.fromEntries(
      of.map((
        node,
      ) => [roots.get(node.service) === node.path ? node.service : node.path, node.path]),
    );
  const single = shown.length === 1 && shown[0]!.replicas === 1 ? shown[0]! : undefined;
  const doors: Door[] = [{
    port: null,
    node: single?.path ?? INGRESS,
    ...typeOf(shown.map((node) => exposed.get(node.path)!).find(hasTypeAlone)),
    methods: methodsOf(shown),
  }];
  const ports = new Map<number, string>();
  for (const node of shown) {
    const expose = exposed.get(node.path);
    if (typeof expose !== "object" || expose.port === undefined) continue;
    const other = ports.get(expose.port);
    if (other !== undefined) {
      throw new MpError(
        "topology_invalid",
        `Cannot expose "${node.path}" on port ${expose.port}: "${other}" has that port`,
        { next: "Give each exposed subservice a port of its own" },
      );
    }
    ports.set(expose.port, node.path);
    doors.push({
      port: expose.port,
      node: node.replicas === 1 ? node.path : INGRESS,
      ...typeOf(expose),
      methods: methodsOf([node]),
    });
  }
  return doors;
}

/** Whether an exposure has no port of its own, and says how the deployment's port is reached. */
function hasTypeAlone(expose: Expose): boolean {
  return typeof expose === "object" && expose.port === undefined;
}

function typeOf(expose: Expose | undefined): Pick<Door, "type"> {
  return typeof expose === "object" && expose.type !== undefined ? { type: expose.type } : {};
}

function checkWidths(widths: Widths, placed: readonly Placed[]): void {
  const paths = placed.map((place) => place.path);
  for (const [path, width] of Object.entries(widths)) {
    if (!paths.includes(path)) {
      throw new MpError(
        "usage",
        `Cannot set the replicas of "${path}": there is no such path`,
        {
          next: `The paths are ${paths.join(", ")}`,
        },
      );
    }
    if (!Number.isInteger(width) || width < 1 || width > 10_000) {
      throw new MpError(
        "usage",
        `Cannot set the replicas of "${path}": ${width} is not a whole number from 1 to 10000`,
        { next: "Give a number such as 3" },
      );
    }
  }
}

function checkTotal(app: string, placed: readonly Placed[]): void {
  const total = placed.reduce((sum, { replicas }) => sum + replicas, 0);
  if (total <= MOST_REPLICAS) return;
  const largest = placed.reduce((a, b) => b.replicas > a.replicas ? b : a);
  throw new MpError(
    "topology_invalid",
    `Cannot plan "${app}": ${total} replicas are more than ${MOST_REPLICAS}`,
    {
      next: `Lower the numbers, which multiply where patterns nest; "${largest.path}" ` +
        `alone has ${largest.replicas}`,
    },
  );
}

/** Bundle and structure. The ingress is left out, for it comes and goes with counts and exposure. */
function revisionOf(bundle: string, nodes: readonly PlanNode[]): string {
  const structure = nodes.filter((node) => node.path !== INGRESS)
    .map((node) => [node.path, node.kind, node.state, node.needs]);
  const hash = hash32(JSON.stringify(structure)).toString(16).padStart(8, "0");
  return `${bundle.slice(0, 16)}${hash}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
