/**
 * Where HTTP comes in: a door for callers from outside, or the replica's own endpoint for operators.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";
import type { Payload } from "../payload.ts";
import { parseAddress, tcpAddress } from "../peer/address.ts";
import type { PlanNode } from "../plan/plan.ts";
import { DEFAULT_LIMITS } from "../rpc/limits.ts";
import { readOrigins } from "../rpc/origins.ts";
import type { RpcApp, RpcAppOptions } from "../rpc/app.ts";
import type { CallMeta, RpcService } from "../rpc/rpc_service.ts";
import { aborted } from "./aborted.ts";
import { CallContext, newRequestId } from "./call_context.ts";
import type { Gate } from "./gate.ts";
import { type CutOff, cutOff } from "./cut_off.ts";
import { eachConnection } from "./door_connections.ts";
import { IdleConnections } from "./idle_connections.ts";
import { takeOverPort, waitingAt } from "./port_takeover.ts";
import type { Replica } from "./replica.ts";
import { withinDeadline } from "./within_deadline.ts";

/** Where a door opens and what it answers. */
export interface DoorOptions {
  readonly address: Address;
  /** Whether all new connections come here from now on, though another replica listens there too. */
  readonly takeOver: boolean;
  /** Which subservice answers which method. */
  readonly methods: Readonly<Record<string, string>>;
}

/**
 * Makes an endpoint. Its code is loaded when it is needed: most replicas have no door and are never asked
 * by an operator, and start sooner and smaller without.
 */
async function makeApp(options: RpcAppOptions): Promise<RpcApp> {
  const { rpcApp } = await import("../rpc/app.ts");
  return rpcApp(options);
}

interface DoorState {
  draining: boolean;
  closed?: boolean;
  readonly closing: AbortController;
  /** Looks for connections that are idle. */
  looking?: ReturnType<typeof setInterval>;
  cutOff?: CutOff;
}

/** How often connections are looked at, in milliseconds. */
const LOOK = 15_000;
/** How much longer than an answer may take a connection may be idle, in milliseconds. */
const IDLE = 15_000;

/** An HTTP server of a replica. */
export class Door {
  /** Where it listens. */
  readonly address: Address;
  #server: Deno.HttpServer;
  #state: DoorState;

  private constructor(address: Address, server: Deno.HttpServer, state: DoorState) {
    this.address = address;
    this.#server = server;
    this.#state = state;
  }

  /**
   * Opens a door for callers from outside.
   *
   * @throws {MpError} `port_in_use`
   */
  static async open(
    replica: Replica,
    { address, takeOver, methods }: DoorOptions,
  ): Promise<Door> {
    const state: DoorState = { draining: false, closing: new AbortController() };
    const { fetch } = await makeApp({
      ...doorApp(replica, methods),
      draining: () => state.draining,
      // it has a port once it listens
      cutOff: { end: (caller, onMissing) => state.cutOff!.end(caller, onMissing) },
    });
    const at = parseAddress(address);
    if (at.transport === "unix") {
      throw new TypeError(`Cannot open a door at ${address}: it is no TCP port`);
    }
    try {
      const server = Deno.serve({
        hostname: at.hostname,
        port: at.port,
        // another replica may have to take this door over
        reusePort: Deno.build.os === "linux",
        onListen() {},
        signal: state.closing.signal,
      }, fetch);
      const { port } = server.addr;
      if (takeOver) takeOverPort(port, at.hostname);
      state.cutOff = cutOff(port);
      const idle = new IdleConnections(port, idleLimit(replica, methods));
      state.looking = setInterval(() => idle.look(), LOOK);
      Deno.unrefTimer(state.looking);
      return new Door(tcpAddress(at.hostname, server.addr.port), server, state);
    } catch (error) {
      state.closing.abort();
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      throw new MpError(
        "port_in_use",
        `Cannot listen on ${at.hostname}:${at.port}: the port is in use`,
        {
          next: "Free the port, or choose another with --port (0 picks a free one)",
          cause: error,
        },
      );
    }
  }

  /** Opens the replica's own endpoint: health and metrics for all who reach it, calls for who has the secret. */
  static forOperators(replica: Replica, address: Address, secret: string): Door {
    const state: DoorState = { draining: false, closing: new AbortController() };
    const { path } = replica.identity;
    // who has the secret is asked for nothing else
    const service = serviceOf(replica, { [path]: path }, new Map());
    let app: Promise<RpcApp> | undefined;
    const handler = async (request: Request): Promise<Response> => {
      app ??= makeApp({
        ...appOptions(service, replica),
        secret,
        draining: () => state.draining,
      });
      return await (await app).fetch(request);
    };
    const at = parseAddress(address);
    const options = { onListen() {}, signal: state.closing.signal };
    const server = at.transport === "unix"
      ? Deno.serve({ path: at.path, ...options }, handler)
      : Deno.serve({ hostname: at.hostname, port: at.port, ...options }, handler);
    return new Door(address, server, state);
  }

  /**
   * Answers what has come, with `Connection: close`, and stops.
   *
   * @param linger How long connections that are open already are still served, in milliseconds.
   * @param signal Ends the waiting.
   */
  async drain(linger: number, signal: AbortSignal): Promise<void> {
    this.#state.draining = true;
    if (linger > 0) {
      await pause(linger, signal);
      // closing a listener resets what waits in its queue
      const at = parseAddress(this.address);
      while (at.transport === "tcp" && !signal.aborted && waitingAt(at.port, at.hostname) > 0) {
        await pause(5, signal);
      }
    }
    this.#state.closed = true;
    await Promise.race([this.#server.shutdown(), aborted(signal)]);
    this.#rest();
  }

  /** Stops at once. */
  close(): void {
    // a server that shuts down, or has, cannot be aborted; what it still answers ends with the process
    if (!this.#state.closed) this.#state.closing.abort();
    this.#state.closed = true;
    this.#rest();
  }

  /** How many connections are open; none where the system does not tell. */
  get connections(): number {
    const at = parseAddress(this.address);
    let count = 0;
    if (at.transport === "tcp" && !this.#state.closed) eachConnection(at.port, () => count++);
    return count;
  }

  /** Looks at connections no more. */
  #rest(): void {
    clearInterval(this.#state.looking);
    this.#state.cutOff?.close();
  }
}

/**
 * For how long nothing may be sent over a connection of a door, in milliseconds. Until then an answer may be
 * on its way: the request has its time to arrive, and then the call has its own.
 *
 * @param methods Which subservice answers which method.
 */
export function idleLimit(replica: Replica, methods: Readonly<Record<string, string>>): number {
  const paths = Object.values(methods);
  const timeouts = replica.plan.nodes.filter(({ path }) => paths.includes(path))
    .map(({ timeout }) => timeout);
  return DEFAULT_LIMITS.bodyTimeout + Math.max(0, ...timeouts) + IDLE;
}

/**
 * What a door answers, wherever its callers come from.
 *
 * @param methods Which subservice answers which method.
 */
export function doorApp(
  replica: Replica,
  methods: Readonly<Record<string, string>>,
): RpcAppOptions {
  const options = appOptions(serviceOf(replica, methods, replica.gates), replica);
  return { ...options, origins: readOrigins(replica.cors) };
}

function appOptions(service: RpcService, replica: Replica): RpcAppOptions {
  return {
    service,
    name: replica.plan.app,
    revision: replica.plan.revision,
    replica: replica.info.name,
    metrics: replica.metrics,
  };
}

/** What answers a method. */
interface Answerer extends Pick<PlanNode, "path" | "service" | "timeout"> {
  readonly gate: Gate | undefined;
}

function serviceOf(
  replica: Replica,
  methods: Readonly<Record<string, string>>,
  gates: ReadonlyMap<string, Gate>,
): RpcService {
  const nodes = new Map<string, Answerer>();
  for (const [method, path] of Object.entries(methods)) {
    const node = replica.plan.nodes.find((node) => node.path === path)!;
    const { service, timeout } = node;
    nodes.set(method, { path, service, timeout, gate: gates.get(service) });
  }
  const { tracing, info: { name } } = replica;
  /** Asks who calls, and answers in a span, where that is wanted. */
  const attended = (
    { path, gate }: Answerer,
    payload: Payload,
    meta: CallMeta,
    context: CallContext,
  ): Promise<Payload> | Payload => {
    const answer = () => replica.answer(path, payload, context);
    const admit = gate === undefined ? answer : () => gate.admit(meta, context, answer);
    return tracing === undefined
      ? admit()
      : tracing.answer({ from: "door", path, replica: name }, context, admit);
  };
  return {
    methods: () => Array.from(nodes, ([name, { path }]) => ({ name, path })),
    call(method: string, payload: Payload, meta: CallMeta) {
      const answerer = nodes.get(method)!;
      const { path, service, timeout, gate } = answerer;
      const asked = meta.timeoutMs;
      const context = new CallContext({
        service,
        replica: replica.info,
        timeout: asked === undefined ? timeout : Math.min(asked, timeout),
        since: meta.arrived,
        requestId: meta.requestId ?? newRequestId(),
        // a spread for what is mostly absent would cost every call
        idempotencyKey: meta.idempotencyKey,
        headers: meta,
        caller: meta,
      });
      const reply = gate === undefined && tracing === undefined
        ? replica.answer(path, payload, context)
        : attended(answerer, payload, meta, context);
      if (reply instanceof Promise) return withinDeadline(reply, context);
      context.answered();
      return reply;
    },
    async ready(once) {
      const missing = once && replica.begun ? [] : await replica.survey();
      return { ready: missing.length === 0, missing };
    },
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}
