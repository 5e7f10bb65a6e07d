/**
 * A topology in processes, as a test sees it.
 *
 * @module
 */

import { MpError } from "../runtime/errors.ts";
import type { Deployment, LogLine, ReplicaId, ReplicaStatus } from "../runtime/launch/driver.ts";
import { Payload } from "../runtime/payload.ts";
import { dial, parseAddress } from "../runtime/peer/address.ts";
import { deadlines } from "../runtime/peer/deadlines.ts";
import { Peer } from "../runtime/peer/peer.ts";
import type { Plan } from "../runtime/plan/plan.ts";
import { encodeMeta } from "../runtime/replica/call_meta.ts";
import type { App, AppCallOptions, AppNetwork, AppReplica, AppStorage, Metrics } from "./app.ts";
import { doorReply, doorRequest } from "./door_call.ts";
import { findTarget } from "./find_target.ts";
import { readMetrics } from "./metrics.ts";
import { CLIENT } from "./network_rules.ts";
import { noteOpen } from "./open_apps.ts";
import { replyWithin } from "./reply_within.ts";
import { unsupportedBy } from "./unsupported_by.ts";

/** What an app is made of. */
export interface ProcessAppOptions {
  readonly plan: Plan;
  readonly deployment: Deployment;
  readonly storage: Pick<AppStorage, "read" | "seed" | "scopes">;
  /** What replicas show each other when they connect. */
  readonly secret: string;
  /** Called when it is closed. */
  readonly onClose: () => Promise<void>;
}

const unsupported = (what: string, why: string): never => {
  throw unsupportedBy("process", what, why);
};
const NOT_BETWEEN = "processes talk over sockets of the system, with nothing between them";

/** The network of processes cannot be reached into. */
const NETWORK: AppNetwork = {
  delay: () => unsupported("delay messages", NOT_BETWEEN),
  drop: () => unsupported("drop messages", NOT_BETWEEN),
  partition: () => unsupported("make a partition", NOT_BETWEEN),
  disconnect: () => unsupported("end connections", NOT_BETWEEN),
  heal() {},
};

/** See the module's documentation. */
export class ProcessApp implements App {
  readonly driver = "process";
  readonly plan: Plan;
  readonly network: AppNetwork = NETWORK;
  readonly storage: AppStorage;
  #options: ProcessAppOptions;
  // connections that a client keeps for later would be leaks of the test
  #client = Deno.createHttpClient({});
  #peers = new Map<string, Peer>();
  #turn = 0;
  #count = 0;
  #lines: LogLine[] = [];
  #closed: Promise<void> | undefined;
  #forget: () => void;

  constructor(options: ProcessAppOptions) {
    this.#options = options;
    this.plan = options.plan;
    this.#forget = noteOpen(options.plan.app);
    const why = "its replicas reach the storage by themselves";
    this.storage = {
      ...options.storage,
      fail: () => unsupported("have the storage fail", why),
      slow: () => unsupported("slow the storage", why),
      heal() {},
    };
    this.#collect();
  }

  async call<R>(service: string, request?: unknown, options: AppCallOptions = {}): Promise<R> {
    const { node, door } = findTarget(this.plan, service);
    const timeout = options.timeout ?? node.timeout;
    if (!(timeout > 0)) {
      throw new RangeError(
        `Cannot call "${service}": timeout ${timeout} is not a number of ms over 0`,
      );
    }
    const reply = door === undefined
      ? this.#callPath(node.path, node.replicas, request, timeout)
      : this.#callDoor(service, door, request, { ...options, timeout });
    return await replyWithin(reply, { service, timeout }) as R;
  }

  async fetch(path: string, init?: RequestInit): Promise<Response> {
    if (this.plan.doors.length > 0) return await this.#fetch(0, path, init);
    throw new MpError("method_not_found", `Cannot fetch "${path}": no service is exposed`, {
      next: "Expose one, or call it with app.call()",
    });
  }

  replica(path: string, index = 0): AppReplica {
    const { deployment } = this.#options;
    const id = { path, index };
    const name = `${path}.${index}`;
    const find = () => this.#status(id);
    find();
    const lines = this.#lines;
    const signal = (signal: Deno.Signal) => {
      const { pid } = find();
      if (pid !== undefined) Deno.kill(pid, signal);
    };
    return {
      name,
      path,
      index,
      get state() {
        return find().state;
      },
      get restarts() {
        return find().restarts;
      },
      kill: async ({ restart = true } = {}) => {
        if (!restart) {
          unsupported("keep a replica down", "its supervisor starts it again; pause() stops it");
        }
        const { restarts, lastExit, pid } = find();
        const ended = this.#until(
          (status) =>
            status.pid !== pid || status.restarts > restarts || status.lastExit !== lastExit,
          id,
        );
        signal("SIGKILL");
        await ended;
      },
      restart: () => deployment.restart(id),
      // deno-lint-ignore require-await -- what goes wrong is to be a rejection
      pause: async () => signal("SIGSTOP"),
      // deno-lint-ignore require-await -- as above
      resume: async () => signal("SIGCONT"),
      ready: (signal) => this.#until(({ state }) => state === "ready", id, signal),
      logs: () => lines.filter((line) => line.path === path && line.index === index),
      calls: () => unsupported("tell the calls of a replica", "nobody sees what processes say"),
    };
  }

  async metrics(): Promise<Metrics> {
    const texts = this.plan.doors.map(async (_, door) =>
      await (await this.#fetch(door, "/metrics")).text()
    );
    return readMetrics(await Promise.all(texts));
  }

  close(): Promise<void> {
    return this.#closed ??= (async () => {
      this.#forget();
      for (const peer of this.#peers.values()) peer.close();
      this.#client.close();
      await this.#options.onClose();
      deadlines.settle();
    })();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #status({ path, index }: ReplicaId): ReplicaStatus {
    const all = this.#options.deployment.status();
    const found = all.find((status) => status.path === path && status.index === index);
    if (found) return found;
    throw new MpError(
      "deployment_not_found",
      `Cannot find ${path}.${index}: there is no such replica`,
      { next: `The replicas are ${all.map(({ path, index }) => `${path}.${index}`).join(", ")}` },
    );
  }

  /** Resolves when a replica is as wanted. */
  async #until(
    wanted: (status: ReplicaStatus) => boolean,
    id: ReplicaId,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    const stop = new AbortController();
    const end = () => stop.abort();
    signal?.addEventListener("abort", end, { once: true });
    try {
      const events = this.#options.deployment.events(stop.signal);
      if (wanted(this.#status(id))) return;
      for await (const _ of events) if (wanted(this.#status(id))) return;
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener("abort", end);
      end();
    }
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
    const response = await this.#fetch(
      door,
      "/",
      doorRequest({ service, request, options }, ++this.#count),
    ).catch((cause) => {
      throw new MpError("replica_unreachable", `Cannot call "${service}": its door is closed`, {
        service,
        reason: "disconnected",
        cause,
      });
    });
    return await doorReply(service, response);
  }

  async #fetch(door: number, path: string, init?: RequestInit): Promise<Response> {
    const at = parseAddress(this.#options.deployment.book.doors[door]!.address);
    if (at.transport === "unix") throw new TypeError("Cannot fetch from a door that is no port");
    const url = new URL(path, `http://${at.hostname}:${at.port}`);
    return await fetch(url, { ...init, client: this.#client });
  }

  async #callPath(
    path: string,
    replicas: number,
    request: unknown,
    timeout: number,
  ): Promise<unknown> {
    const peer = this.#peer(`${path}.${this.#turn++ % replicas}`);
    const meta = encodeMeta({ requestId: `test-${++this.#count}`, user: undefined });
    const reply = await peer.call(Payload.encode(request).text, { timeout, meta });
    return reply === "" ? null : JSON.parse(reply);
  }

  #peer(name: string): Peer {
    const known = this.#peers.get(name);
    if (known) return known;
    const { deployment, secret } = this.#options;
    const { revision } = this.plan;
    const peer = new Peer({
      name,
      address: deployment.book.replicas.find(({ path, index }) => `${path}.${index}` === name)!
        .peer,
      hello: { secret, revision, from: CLIENT, as: "service" },
      dial,
    });
    this.#peers.set(name, peer);
    return peer;
  }
}
