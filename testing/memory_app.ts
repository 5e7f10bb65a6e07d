/**
 * A topology in this process, as a test sees it.
 *
 * @module
 */

import type { MemoryDeployment } from "../drivers/memory/deployment.ts";
import { MpError } from "../runtime/errors.ts";
import type { LogLine } from "../runtime/launch/driver.ts";
import { Payload } from "../runtime/payload.ts";
import { deadlines } from "../runtime/peer/deadlines.ts";
import { Peer } from "../runtime/peer/peer.ts";
import type { Plan } from "../runtime/plan/plan.ts";
import { encodeMeta } from "../runtime/replica/call_meta.ts";
import type { App, AppCallOptions, AppNetwork, AppReplica, AppStorage, Metrics } from "./app.ts";
import type { CallLog } from "./call_log.ts";
import { doorReply, doorRequest } from "./door_call.ts";
import { type CallTarget, findTarget } from "./find_target.ts";
import { readMetrics } from "./metrics.ts";
import { CLIENT } from "./network_rules.ts";
import { noteOpen } from "./open_apps.ts";
import { replyWithin } from "./reply_within.ts";

/** What an app is made of. */
export interface MemoryAppOptions {
  readonly plan: Plan;
  readonly deployment: MemoryDeployment;
  readonly network: AppNetwork;
  readonly storage: AppStorage;
  readonly calls: CallLog;
  /** Called when it is closed. */
  readonly onClose: () => Promise<void> | void;
}

/** See the module's documentation. */
export class MemoryApp implements App {
  readonly driver = "memory";
  readonly plan: Plan;
  readonly network: AppNetwork;
  readonly storage: AppStorage;
  #options: MemoryAppOptions;
  #peers = new Map<string, Peer>();
  #turns = new Map<string, number>();
  #count = 0;
  #lines: LogLine[] = [];
  #closed: Promise<void> | undefined;
  #forget: () => void;

  constructor(options: MemoryAppOptions) {
    this.#options = options;
    this.plan = options.plan;
    this.#forget = noteOpen(options.plan.app);
    this.network = options.network;
    this.storage = options.storage;
    this.#collect();
  }

  async call<R>(service: string, request?: unknown, options: AppCallOptions = {}): Promise<R> {
    const target = findTarget(this.plan, service);
    const timeout = options.timeout ?? target.node.timeout;
    if (!(timeout > 0)) {
      throw new RangeError(
        `Cannot call "${service}": timeout ${timeout} is not a number of ms over 0`,
      );
    }
    const reply = target.door === undefined
      ? this.#callPath(target, request, timeout)
      : this.#callDoor(service, target.door, request, { ...options, timeout });
    return await replyWithin(reply, { service, timeout }) as R;
  }

  async fetch(path: string, init?: RequestInit): Promise<Response> {
    if (this.plan.doors.length === 0) {
      throw new MpError("method_not_found", `Cannot fetch "${path}": no service is exposed`, {
        next: "Expose one, or call it with app.call()",
      });
    }
    return await this.#fetch(0, new Request(new URL(path, "http://localhost:3000"), init));
  }

  replica(path: string, index = 0): AppReplica {
    const { deployment, calls } = this.#options;
    const id = { path, index };
    const find = () => deployment.replica(id);
    const name = find().spec.name;
    const lines = this.#lines;
    return {
      name,
      path,
      index,
      get state() {
        return find().status.state;
      },
      get restarts() {
        return find().status.restarts;
      },
      // deno-lint-ignore require-await -- what goes wrong is to be a rejection
      async kill({ restart = true } = {}) {
        find().crash("killed", restart);
      },
      restart: async () => {
        const replica = find();
        if (replica.running === undefined) await replica.restart();
        else await deployment.restart(id);
        await find().ready();
      },
      // deno-lint-ignore require-await -- as above
      pause: async () => find().pause(true),
      // deno-lint-ignore require-await -- as above
      resume: async () => find().pause(false),
      ready: () => find().ready(),
      logs: () => lines.filter((line) => line.path === path && line.index === index),
      calls: () => calls.of(name),
    };
  }

  async metrics(): Promise<Metrics> {
    const texts = this.plan.doors.map(async (_, door) => {
      const request = new Request("http://localhost:3000/metrics");
      return await (await this.#options.deployment.fetch(door, request)).text();
    });
    return readMetrics(await Promise.all(texts));
  }

  close(): Promise<void> {
    return this.#closed ??= (async () => {
      this.#forget();
      for (const peer of this.#peers.values()) peer.close();
      this.#options.deployment.kill();
      await this.#options.onClose();
      deadlines.settle();
    })();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #collect(): Promise<void> {
    for await (const line of this.#options.deployment.lines()) this.#lines.push(line);
  }

  async #callDoor(
    service: string,
    door: number,
    request: unknown,
    options: AppCallOptions,
  ): Promise<unknown> {
    const init = doorRequest({ service, request, options }, ++this.#count);
    const response = await this.#fetch(door, new Request("http://localhost:3000/", init));
    return await doorReply(service, response);
  }

  /** What comes in through a door travels through the network, as everything does. */
  async #fetch(door: number, request: Request): Promise<Response> {
    const { deployment } = this.#options;
    const replica = `${this.plan.doors[door]!.node}.0`;
    await deployment.network.carry(CLIENT, replica);
    const response = await deployment.fetch(door, request);
    await deployment.network.carry(replica, CLIENT);
    return response;
  }

  async #callPath({ node }: CallTarget, request: unknown, timeout: number): Promise<unknown> {
    const turn = this.#turns.get(node.path) ?? 0;
    this.#turns.set(node.path, turn + 1);
    const peer = this.#peer(node.path, turn % node.replicas);
    const meta = encodeMeta({ requestId: `test-${++this.#count}`, user: undefined });
    const reply = await peer.call(Payload.encode(request).text, { timeout, meta });
    return reply === "" ? null : JSON.parse(reply);
  }

  #peer(path: string, index: number): Peer {
    const name = `${path}.${index}`;
    const known = this.#peers.get(name);
    if (known) return known;
    const { network, book, secret } = this.#options.deployment;
    const { revision } = this.plan;
    const peer = new Peer({
      name,
      address: book.replicas.find((replica) => `${replica.path}.${replica.index}` === name)!.peer,
      hello: { secret, revision, from: CLIENT, as: "service" },
      dial: network.join(CLIENT).dial,
    });
    this.#peers.set(name, peer);
    return peer;
  }
}
