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
  DeploymentNote,
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
  /** When the first was launched. */
  readonly created: string;
  /** Counts that `mp scale` set, by path. */
  readonly scaled: Readonly<Record<string, number>>;
}

/** What a deployment is to become. */
export interface Target {
  readonly order: DeployOrder;
  readonly door: DoorPlace;
  readonly scaled: Deployed["scaled"];
}

/** What it takes to deploy. */
export interface DeployTools extends RenderTools {
  readonly state: StateFolder;
}

/** What it takes to render. */
export interface RenderTools {
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
  const [files, book] = await allDone([
    writeFiles(order, 1, tools),
    tools.driver.assign(order.plan, { ...door, tree: 1 }),
    // there before the first line, for who follows the logs
    tools.state.writeFiles(logsOf(order, tools), {}),
  ]);
  return { order, book, files, tree: 1, created: new Date().toISOString(), scaled: {} };
}

/** Launches what was assigned. */
export async function launchAssigned(
  deployed: Deployed,
  tools: DeployTools,
  options: Omit<LaunchOptions, "logs">,
): Promise<Deployment> {
  const logs = logsOf(deployed.order, tools);
  return await tools.driver.launch(renderDeployed(deployed, tools), { ...options, logs });
}

/** Adds and removes replicas. */
export async function scaleDeployed(
  from: Deployed,
  { order, door, scaled }: Target,
  deployment: Deployment,
  tools: DeployTools,
): Promise<Deployed> {
  const { book: scales, tree } = from;
  const book = await tools.driver.assign(order.plan, { ...door, scales, tree });
  const next = { ...from, order, book, scaled };
  await deployment.scale(book, renderDeployed(next, tools));
  return next;
}

/** Starts a new tree beside what runs, which then drains. */
export async function replaceDeployed(
  from: Deployed,
  { order, door, scaled }: Target,
  deployment: Deployment,
  tools: DeployTools,
): Promise<Deployed> {
  const { book: replaces } = from;
  const tree = from.tree + 1;
  const [files, book] = await allDone([
    writeFiles(order, tree, tools),
    tools.driver.assign(order.plan, { ...door, replaces, tree }),
  ]);
  const next = { ...from, order, book, files, tree, scaled };
  await deployment.update(book, renderDeployed(next, tools));
  // the tree before, which may still drain, keeps its files
  await Deno.remove(treeFolder(order, tree - 2, tools), { recursive: true }).catch(() => {});
  return next;
}

/** The platform's objects of an order that is not launched: the same for the same order. */
export async function renderOrder(order: DeployOrder, driver: Driver): Promise<unknown> {
  const door = { host: order.host ?? HOST, port: order.port ?? PORT };
  const book = await driver.assign(order.plan, { ...door, tree: 1, elsewhere: true });
  const { script } = order.bundle;
  const files = { bundle: "bundle.mjs", sourceMap: "bundle.mjs.map", script };
  const created = new Date(0).toISOString();
  const command = () => ({ command: "mp", args: [] });
  return renderDeployed({ order, book, files, tree: 1, created, scaled: {} }, { driver, command });
}

/** Where the deployment's own door listens. */
export function doorOf({ book, order }: Deployed): DoorPlace {
  const at = order.plan.doors.findIndex((door) => door.port === null);
  const address = at < 0 ? undefined : parseAddress(book.doors[at]!.address);
  if (address?.transport === "tcp") return { host: address.hostname, port: address.port };
  return { host: order.host ?? HOST, port: order.port ?? PORT };
}

/** Where others reach it. */
export function handleOf({ book, order, created }: Deployed): DeploymentHandle {
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
    ...(order.settings && { settings: order.settings }),
  };
}

/** What a driver keeps with it, so that another launcher can take it up. */
function noteOf(deployed: Deployed): DeploymentNote {
  const { order, book, tree, scaled } = deployed;
  const { code: _, map: __, ...bundle } = order.bundle;
  return { handle: handleOf(deployed), order: { ...order, bundle }, book, tree, scaled };
}

/** The platform's objects of it. */
export function renderDeployed(deployed: Deployed, { driver, command }: RenderTools): unknown {
  const { order, book, files } = deployed;
  const { plan, env, cwd, inspect, bundle } = order;
  return driver.render(plan, book, {
    files,
    bundle,
    note: noteOf(deployed),
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

/** As `Promise.all`, but nothing is under way any more when it fails: what was made can be removed. */
async function allDone<T extends readonly unknown[]>(
  promises: readonly [...{ [Index in keyof T]: Promise<T[Index]> }],
): Promise<T> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as unknown as T;
}

function treeFolder({ plan }: DeployOrder, tree: number, { state }: DeployTools): string {
  return join(state.folder(plan.app), "trees", String(tree));
}

function logsOf({ plan }: DeployOrder, { state }: DeployTools): string {
  return join(state.folder(plan.app), "logs");
}
