/**
 * What the cases of the driver suite are written with.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { join } from "@std/path";
import {
  assignOrder,
  type Deployed,
  type DeployTools,
  doorOf,
  launchAssigned,
  replaceDeployed,
  scaleDeployed,
} from "../../../runtime/launch/deployed.ts";
import type {
  Capabilities,
  Deployment,
  Driver,
  LaunchOptions,
  LogLine,
  ReplicaStatus,
} from "../../../runtime/launch/driver.ts";
import type { DeployOrder } from "../../../runtime/launch/launcher.ts";
import { prepare, replan, replicaEntry } from "../../../runtime/launch/prepare.ts";
import { replicaCommand } from "../../../runtime/launch/serving_half.ts";
import { stateFolder } from "../../../runtime/launch/state.ts";
import { parseAddress } from "../../../runtime/peer/address.ts";

/** How long anything may take that is waited for. Only what hangs takes so long, or a cluster that has much to do. */
export const PATIENCE = Deno.env.get("MP_TEST_KUBECONFIG") ? 300_000 : 90_000;

/** A driver, and what can be seen of it from outside. */
export interface DriverUnderTest extends AsyncDisposable {
  readonly driver: Driver;
  /** Calls a service of a deployment as callers from outside do. Default: JSON-RPC at its first door. */
  call?(deployed: Deployed, service: string, params: readonly unknown[]): Promise<unknown>;
  /** What is there that belongs to deployments of an app: processes, folders, containers. */
  left(app: string): Promise<readonly string[]>;
  /** What only this driver is told. */
  readonly settings?: DeployOrder["settings"];
}

/** One thing that every driver must do. */
export interface Case {
  readonly name: string;
  /** Why a driver cannot be asked for it; nothing when it can. */
  without?(capabilities: Capabilities): string | undefined;
  run(stage: Stage): Promise<void>;
}

/** A deployment of one case. */
export interface Played {
  readonly deployed: Deployed;
  readonly deployment: Deployment;
}

/** Launches scripts for one case; everything is gone when it is disposed. */
export class Stage implements AsyncDisposable {
  readonly driver: Driver;
  #deployments = new Set<Deployment>();

  private constructor(
    readonly place: DriverUnderTest,
    /** The app of this case. */
    readonly app: string,
    readonly folder: string,
    readonly tools: DeployTools,
  ) {
    this.driver = place.driver;
  }

  static async make(place: DriverUnderTest, app: string): Promise<Stage> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-" }));
    const entry = await replicaEntry();
    return new Stage(place, app, folder, {
      state: stateFolder(join(folder, "state")),
      driver: place.driver,
      command: (options) => replicaCommand(entry, options),
    });
  }

  /** The order to deploy a script: its lines between the import and `mp.serve()`. */
  async order(
    body: string,
    { widths = {}, ...options }: Partial<DeployOrder> = {},
  ): Promise<DeployOrder> {
    const script = join(this.folder, "topology.ts");
    await Deno.writeTextFile(
      script,
      `import * as mp from "@metaparticle/mp";\nmp.app("${this.app}");\n${body}\nmp.serve();\n`,
    );
    const env = { MP_STORAGE: "memory", ...options.env };
    const signal = new AbortController().signal;
    const prepared = await prepare({ script, widths, env, signal });
    assert(prepared.kind === "topology", "the script makes no service");
    const { plan, bundle: { code, map, hash, script: path } } = prepared;
    const bundle = { code, map, hash, script: path };
    const { driver: { name: driver }, settings } = this.place;
    const [version, cwd] = ["0.0.0", this.folder];
    return { version, driver, plan, bundle, widths, cwd, port: 0, settings, ...options, env };
  }

  /** Launches an order; replicas are on their way. */
  async launch(order: DeployOrder, options: Partial<LaunchOptions> = {}): Promise<Played> {
    const deployed = await assignOrder(order, this.tools);
    const deployment = await launchAssigned(deployed, this.tools, { grace: 5_000, ...options });
    this.keep(deployment);
    return { deployed, deployment };
  }

  /** Launches a script, and waits until it is ready. */
  async play(body: string, options: Partial<DeployOrder> = {}): Promise<Played> {
    const played = await this.launch(await this.order(body, options));
    await ready(played.deployment);
    return played;
  }

  /** Has a deployment deleted with the stage. */
  keep(deployment: Deployment): void {
    this.#deployments.add(deployment);
  }

  /** Has a deployment not deleted with the stage. */
  forget(deployment: Deployment): void {
    this.#deployments.delete(deployment);
  }

  /** Updates to another order, as a launcher does. */
  async update({ deployed, deployment }: Played, order: DeployOrder): Promise<Played> {
    const to = { order, door: doorOf(deployed), scaled: {} };
    return {
      deployed: await replaceDeployed(deployed, to, deployment, this.tools),
      deployment,
    };
  }

  /** Scales a path in place, as a launcher does. */
  async scale({ deployed, deployment }: Played, path: string, count: number): Promise<Played> {
    const plan = await replan(deployed.order, { [path]: count });
    const to = {
      order: { ...deployed.order, plan },
      door: doorOf(deployed),
      scaled: { [path]: count },
    };
    return { deployed: await scaleDeployed(deployed, to, deployment, this.tools), deployment };
  }

  /** Calls a service. @throws {Error} With the message of an error that is answered. */
  async call({ deployed }: Pick<Played, "deployed">, service: string, ...params: unknown[]) {
    if (this.place.call) return await this.place.call(deployed, service, params);
    return await callDoor(deployed, service, params);
  }

  /** Calls a service until its answer is as wanted; calls that fail meanwhile are made again. */
  async callUntil(
    played: Pick<Played, "deployed">,
    service: string,
    wanted: (answer: unknown) => boolean,
  ): Promise<void> {
    const end = performance.now() + PATIENCE;
    for (let last: unknown;;) {
      try {
        last = await this.call(played, service);
        if (wanted(last)) return;
      } catch (error) {
        last = error;
      }
      if (performance.now() > end) throw new Error(`still ${Deno.inspect(last)}`);
    }
  }

  async left(): Promise<readonly string[]> {
    return await this.place.left(this.app);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const deployment of this.#deployments) await deployment.delete();
    await this.driver.purge?.(this.app, { images: true });
    const left = await this.left();
    await Deno.remove(this.folder, { recursive: true });
    assertEquals(left, [], "left after delete()");
  }
}

/** Calls a service at the first door of a deployment. */
export async function callDoor(
  { book }: Pick<Deployed, "book">,
  service: string,
  params: readonly unknown[],
): Promise<unknown> {
  const at = parseAddress(book.doors[0]!.address);
  assert(at.transport === "tcp");
  const response = await fetch(`http://${at.hostname}:${at.port}/`, {
    method: "POST",
    // an update closes connections; what is tested is not how a client notices that
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: service, params }),
  });
  const reply = await response.json();
  if (reply.error) throw new Error(reply.error.message);
  return reply.result;
}

/** Resolves when all replicas are ready. */
export async function ready(deployment: Deployment): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    await deployment.ready(signal);
  } catch (error) {
    const statuses = Deno.inspect(deployment.status(), { iterableLimit: 30 });
    throw new Error(`did not become ready: ${statuses}`, { cause: error });
  }
}

/** Waits until the status is as wanted. */
export async function until(
  deployment: Deployment,
  wanted: (status: readonly ReplicaStatus[]) => boolean,
): Promise<readonly ReplicaStatus[]> {
  const stop = new AbortController();
  const events = deployment.events(stop.signal);
  const wait = async () => {
    if (wanted(deployment.status())) return deployment.status();
    for await (const _ of events) if (wanted(deployment.status())) return deployment.status();
    throw new Error("the deployment ended");
  };
  try {
    return await deadline(wait(), PATIENCE);
  } catch (error) {
    throw new Error(`waited in vain: ${Deno.inspect(deployment.status())}`, { cause: error });
  } finally {
    stop.abort();
  }
}

/** The first line that is as wanted, from now on. */
export async function line(
  lines: AsyncIterable<LogLine>,
  wanted: (line: LogLine) => boolean,
): Promise<LogLine> {
  const wait = async () => {
    for await (const line of lines) if (wanted(line)) return line;
    throw new Error("there are no more lines");
  };
  return await deadline(wait(), PATIENCE);
}

/** What is left in an order that does not depend on the platform. */
export function namesOf(status: readonly ReplicaStatus[]): string[] {
  return status.map(({ path, index }) => `${path}.${index}`).sort();
}
