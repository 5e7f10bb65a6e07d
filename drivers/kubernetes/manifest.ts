/**
 * The render stage of the Kubernetes driver: plan and address book → objects. Pure.
 *
 * @module
 */

import { basename } from "node:path";
import { MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { DriverSettings } from "../../runtime/launch/driver.ts";
import type { Door, Plan, PlanNode } from "../../runtime/plan/plan.ts";
import { doorName, workloadKind } from "./assign.ts";
import { kubeName, workloadNames } from "./kube_name.ts";
import type { KubeFields, KubeObject } from "./kube_object.ts";
import {
  BOOK_FILE,
  bookConfigMap,
  BUNDLE_FILE,
  bundleConfigMap,
  MAP_FILE,
} from "./objects/config_maps.ts";
import { noteSecret } from "./note.ts";
import { deployment } from "./objects/deployment.ts";
import { networkPolicies } from "./objects/network_policies.ts";
import { podDisruptionBudget } from "./objects/pod_disruption_budget.ts";
import { DATA, FILES, GRACE, LINGER, type PodContext } from "./objects/pod_template.ts";
import { envSecret, peerSecret, SECRET_FILE } from "./objects/secrets.ts";
import { serviceAccount } from "./objects/service_account.ts";
import { type DoorService, doorService, headlessService } from "./objects/services.ts";
import { statefulSet } from "./objects/stateful_set.ts";
import type { BoardTree } from "./pod_board.ts";
import { doorPort } from "./ports.ts";
import type { KubernetesSettings } from "./settings.ts";

/** A tree of replicas, as objects. */
export interface KubernetesManifest {
  readonly app: string;
  readonly namespace?: string;
  readonly tree: string;
  /** What is missing for a launch. */
  readonly problem: MpError | undefined;
  /** Of `mp`. */
  readonly version: string;
  /** What pods run. */
  readonly image: string;
  /** What the command line said to the driver. */
  readonly settings: DriverSettings;
  /** Counts the trees of the deployment. */
  readonly number: number;
  readonly plan: Plan;
  readonly book: AddressBook;
  /** What is there before any pod: accounts, files, names in DNS, rules. In the order in which they are applied. */
  readonly foundation: readonly KubeObject[];
  /** What has pods, by path. */
  readonly workloads: readonly KubeObject[];
  /** What another launcher needs to take it up. */
  readonly note: KubeObject | undefined;
  /** The Services of the doors, which select this tree. */
  readonly doors: readonly KubeObject[];
}

/**
 * Renders a plan as objects.
 *
 * @param book As it was assigned.
 * @throws {MpError} `unsupported` for what Kubernetes cannot hold or run.
 */
export function renderManifest(
  plan: Plan,
  book: AddressBook,
  settings: KubernetesSettings,
): KubernetesManifest {
  const { app, revision } = plan;
  const { tree } = book;
  if (tree === undefined) throw new TypeError("Cannot render: the book has no tree");
  const { namespace, env, secret, files = {} } = settings;
  const context = { namespace, app, tree, revision };
  const names = workloadNames(plan.nodes.map(({ path }) => path), tree);
  const bundle = bundleConfigMap(settings.bundle, context);
  const bookMap = bookConfigMap(book, context);
  const fileNames = Object.keys(files).sort();
  const peers = peerSecret(
    {
      [SECRET_FILE]: secret,
      ...Object.fromEntries(fileNames.map((name) => [fileKey(name), files[name]!])),
    },
    context,
  );
  const environment = Object.keys(env).length > 0 ? envSecret(env, context) : undefined;
  const account = serviceAccount(kubeName([app]), context);
  const pods: PodContext = {
    ...context,
    image: settings.image,
    ...(settings.pullPolicy && { pullPolicy: settings.pullPolicy }),
    serviceAccount: account.metadata.name,
    shared: sharedEnvironment(plan, settings, bundle),
    given: env,
    secretEnv: environment && { name: environment.metadata.name, names: Object.keys(env) },
    files: [
      source("configMap", bundle, Object.keys(bundle.binaryData!)),
      source("configMap", bookMap, [BOOK_FILE]),
      source("secret", peers, Object.keys(peers.data!), 0o440),
    ],
    ...(settings.claim !== undefined && { claim: settings.claim }),
    args: ["__replica"],
  };
  const doors = plan.doors.map((door, place) => doorOf(door, place, settings, app));
  const workloads = plan.nodes.map((node) => {
    const name = names.get(node.path)!;
    const opened = plan.doors.flatMap((door, place) =>
      door.node === node.path ? [{ name: doors[place]!.target, port: doorPort(place) }] : []
    );
    if (node.run.kind !== "bundle") throw unsupported(node);
    const render = workloadKind(plan, node) === "StatefulSet" ? statefulSet : deployment;
    return render(name, node, opened, pods);
  });
  return {
    app,
    namespace,
    tree,
    problem: settings.problem,
    version: settings.note?.order.version ?? "",
    image: settings.image,
    settings: settings.note?.order.settings ?? {},
    number: settings.note?.tree ?? 1,
    plan,
    book,
    note: settings.note && noteSecret(settings.note, context),
    foundation: [
      account,
      ...networkPolicies(plan.doors.map((_, place) => doorPort(place)), context),
      bundle,
      bookMap,
      peers,
      ...(environment ? [environment] : []),
      ...plan.nodes.map((node) =>
        headlessService(
          names.get(node.path)!,
          node,
          workloadKind(plan, node) === "StatefulSet",
          context,
        )
      ),
      ...plan.nodes.filter(({ replicas }) => replicas > 1)
        .map((node) => podDisruptionBudget(names.get(node.path)!, node, context)),
    ],
    workloads,
    doors: doors.map((door) => doorService(door, context)),
  };
}

/** What of a tree tells its pods apart. */
export function boardTree({ tree, number, plan }: KubernetesManifest): BoardTree {
  return { name: tree, number, plan };
}

/** All objects, in the order in which they are applied. */
export function allObjects(
  { foundation, workloads, doors }: KubernetesManifest,
): readonly KubeObject[] {
  return [...foundation, ...workloads, ...doors];
}

function sharedEnvironment(
  { app, revision }: Plan,
  { bundle, files = {}, claim, linger = LINGER }: KubernetesSettings,
  { binaryData }: KubeObject,
): Record<string, string> {
  return {
    MP_ROLE: "replica",
    MP_APP: app,
    MP_REVISION: revision,
    MP_BUNDLE: `${FILES}/${BUNDLE_FILE}`,
    // a map that did not fit is missing, and costs stack traces their lines
    MP_SOURCE_MAP: `${FILES}/${binaryData![MAP_FILE] ? MAP_FILE : "none"}`,
    MP_SCRIPT: `${claim === undefined ? "/app" : DATA}/${basename(bundle.script)}`,
    MP_BOOK: `${FILES}/${BOOK_FILE}`,
    MP_SECRET_FILE: `${FILES}/${SECRET_FILE}`,
    MP_GRACE: String(linger + GRACE),
    MP_LINGER: String(linger),
    // the only folder that can be written
    HOME: "/tmp",
    TMPDIR: "/tmp",
    ...Object.fromEntries(Object.keys(files).map((name) => [name, `${FILES}/${fileKey(name)}`])),
  };
}

/** `MP_AUTH_USERS` → `auth-users`. */
function fileKey(variable: string): string {
  return variable.toLowerCase().replace(/^mp_/, "").replaceAll("_", "-");
}

function source(
  kind: "configMap" | "secret",
  { metadata }: KubeObject,
  keys: readonly string[],
  mode?: number,
): KubeFields {
  return {
    [kind]: {
      name: metadata.name,
      items: keys.map((key) => ({ key, path: key, ...(mode !== undefined && { mode }) })),
    },
  };
}

function doorOf(
  { port, node, type = "ClusterIP" }: Door,
  place: number,
  settings: KubernetesSettings,
  app: string,
): DoorService {
  return {
    name: doorName(app, { port }),
    type,
    port: port ?? settings.port,
    target: place === 0 ? "rpc" : `rpc-${place}`,
    path: node,
  };
}

function unsupported({ path, run }: PlanNode): MpError {
  return new MpError(
    "unsupported",
    `Cannot run "${path}": the kubernetes driver has no way to run a part of kind "${run.kind}"`,
    { where: path },
  );
}
