/**
 * The stages assign, render and launch: from an order to what runs, and from one to the next.
 *
 * @module
 */

import { join } from "node:path";
import { parseAddress } from "../peer/address.ts";
import type { AddressBook } from "./address_book.ts";
import type {
  Deployment,
  DeploymentFiles,
  DeploymentHandle,
  Driver,
  LaunchOptions,
  ReplicaCommand,
} from "./driver.ts";
import type { DoorPlace } from "./judge_change.ts";
import type { DeployOrder } from "./launcher.ts";
import type { StateFolder } from "./state.ts";

/** What runs, or is about to. */
export interface Deployed {
  readonly order: DeployOrder;
  readonly book: AddressBook;
  readonly files: DeploymentFiles;
  /** Counts the trees of replicas, from 1. */
  readonly tree: number;
}

/** What it takes to deploy. */
export interface DeployTools {
  readonly state: StateFolder;
  readonly driver: Driver;
  /** How a replica is started, without and with the inspector. */
  command(options?: { inspect: string }): ReplicaCommand;
}

const HOST = "127.0.0.1";
const PORT = 3000;
/** Where the inspector of `--inspect` listens. */
export const INSPECTOR = "127.0.0.1:9229";

/** Gives an order its files and addresses. */
export async function assignOrder(order: DeployOrder, tools: DeployTools): Promise<Deployed> {
  const door = { host: order.host ?? HOST, port: order.port ?? PORT };
  const [files, book] = await Promise.all([
    writeFiles(order, 1, tools),
    tools.driver.assign(order.plan, door),
    // there before the first line, for who follows the logs
    tools.state.writeFiles(logsOf(order, tools), {}),
  ]);
  return { order, book, files, tree: 1 };
}

/** Launches what was assigned. */
export async function launchAssigned(
  deployed: Deployed,
  tools: DeployTools,
  options: Omit<LaunchOptions, "logs">,
): Promise<Deployment> {
  const logs = logsOf(deployed.order, tools);
  return await tools.driver.launch(render(deployed, tools), { ...options, logs });
}

/** Adds and removes replicas. */
export async function scaleDeployed(
  { book: scales, files, tree }: Deployed,
  to: { readonly order: DeployOrder; readonly door: DoorPlace },
  deployment: Deployment,
  tools: DeployTools,
): Promise<Deployed> {
  const { order, door } = to;
  const book = await tools.driver.assign(order.plan, { ...door, scales });
  const next = { order, book, files, tree };
  await deployment.scale(book, render(next, tools));
  return next;
}

/** Starts a new tree beside what runs, which then drains. */
export async function replaceDeployed(
  { book: replaces, tree: last }: Deployed,
  to: { readonly order: DeployOrder; readonly door: DoorPlace },
  deployment: Deployment,
  tools: DeployTools,
): Promise<Deployed> {
  const { order, door } = to;
  const tree = last + 1;
  const [files, book] = await Promise.all([
    writeFiles(order, tree, tools),
    tools.driver.assign(order.plan, { ...door, replaces }),
  ]);
  const next = { order, book, files, tree };
  await deployment.update(book, render(next, tools));
  // the tree before, which may still drain, keeps its files
  await Deno.remove(treeFolder(order, tree - 2, tools), { recursive: true }).catch(() => {});
  return next;
}

/** Where the deployment's own door listens. */
export function doorOf({ book, order }: Deployed): DoorPlace {
  const at = order.plan.doors.findIndex((door) => door.port === null);
  const address = at < 0 ? undefined : parseAddress(book.doors[at]!.address);
  if (address?.transport === "tcp") return { host: address.hostname, port: address.port };
  return { host: order.host ?? HOST, port: order.port ?? PORT };
}

/** Where others reach it. */
export function handleOf({ book, order }: Deployed, created: string): DeploymentHandle {
  const { driver, plan, bundle } = order;
  return {
    app: plan.app,
    driver,
    script: bundle.script,
    revision: plan.revision,
    doors: plan.doors.map(({ methods }, i) => ({
      address: book.doors[i]!.address,
      methods: Object.keys(methods),
    })),
    created,
  };
}

function render({ order, book, files }: Deployed, { driver, command }: DeployTools): unknown {
  const { plan, env, cwd, inspect } = order;
  return driver.render(plan, book, {
    files,
    env,
    cwd,
    command: command(),
    ...(inspect !== undefined &&
      { inspect: { path: inspect, command: command({ inspect: INSPECTOR }) } }),
  });
}

async function writeFiles(
  order: DeployOrder,
  tree: number,
  tools: DeployTools,
): Promise<DeploymentFiles> {
  const { code, map, script } = order.bundle;
  const folder = treeFolder(order, tree, tools);
  // not .js, which a package.json somewhere above could make CommonJS
  const bundle = join(folder, "bundle.mjs");
  const sourceMap = join(folder, "bundle.mjs.map");
  await tools.state.writeFiles(folder, { [bundle]: code, [sourceMap]: map });
  return { bundle, sourceMap, script };
}

function treeFolder({ plan }: DeployOrder, tree: number, { state }: DeployTools): string {
  return join(state.folder(plan.app), "trees", String(tree));
}

function logsOf({ plan }: DeployOrder, { state }: DeployTools): string {
  return join(state.folder(plan.app), "logs");
}
