/**
 * A replica: one running instance of a subservice, from its bundle to its answers.
 *
 * @module
 */

import { dirname } from "node:path";
import { MpError } from "../errors.ts";
import type { Address, AddressBook, ReplicaAddress } from "../launch/address_book.ts";
import type { Payload } from "../payload.ts";
import { atHost } from "../peer/address.ts";
import { sockets, type Transport } from "../peer/transport.ts";
import { makePlan } from "../plan/make_plan.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import type { CanonicalForm } from "../script/canonical.ts";
import { RpcMetrics } from "../rpc/metrics.ts";
import { evaluate, type ScriptSurroundings } from "../script/instance.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { ReplicaInfo } from "../topology/context.ts";
import { isPattern, type Topology } from "../topology/topology.ts";
import type { Siblings } from "../transact/baton.ts";
import { type Placed, walk } from "../topology/walk.ts";
import { aborted } from "./aborted.ts";
import { bookSiblings, siblingName } from "./book_siblings.ts";
import { CallContext } from "./call_context.ts";
import { Door } from "./door.ts";
import { countsConnections } from "./door_connections.ts";
import { fromWithin, type Gate, gatesOf, type OnFault } from "./gate.ts";
import type { ReplicaIdentity } from "./identity.ts";
import { limited } from "./limited.ts";
import { Network } from "./network.ts";
import { PeerServer } from "./peer_server.ts";
import { findPlace, replicaInfo, widthsOf } from "./place.ts";
import { type Responder, responder } from "./responder.ts";
import { Scopes } from "./scopes.ts";
import { Switchboard } from "./switchboard.ts";
import { tracedResponder } from "./traced_responder.ts";
import type { StorageDrivers } from "../storage/lazy_storage.ts";

/** What a replica is started with. */
export interface ReplicaOptions {
  readonly identity: ReplicaIdentity;
  readonly book: AddressBook;
  /** The deployment's secret. */
  readonly secret: string;
  readonly form: CanonicalForm;
  /** The hash of the bundle, as this replica computed it. */
  readonly bundle: string;
  /** The scripting API's functions that are the same for every evaluation. */
  readonly api: Readonly<Record<string, unknown>>;
  /** How storages are opened. */
  readonly storages: StorageDrivers;
  /** The environment, which may choose the storage. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of errors that the user's code threw. */
  readonly onFault: OnFault;
  /** How it reaches its peers, and is reached. Default: sockets. */
  readonly transport?: Transport;
  /** What its script sees of the process, where several replicas live in one. Default: the process's own. */
  readonly surroundings?: ScriptSurroundings;
  /** Makes spans of calls, where telemetry is on. */
  readonly tracing?: Tracing;
}

/** How a replica drains. */
export interface DrainOptions {
  /** How long doors go on answering connections that are open already, in milliseconds. */
  readonly linger: number;
  /** Whether it ends alone, and sends its callers elsewhere. */
  readonly leave: boolean;
}

/**
 * Starts a replica: evaluates the bundle, plans it again, and listens for its peers.
 *
 * @throws Whatever the script throws; {MpError} `revision_mismatch`, `launch_failed`.
 */
export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { identity, form, api, env, storages } = options;
  const late: { network?: Network; siblings?: Siblings } = {};
  const { app, script } = identity;
  const siblings: Siblings = {
    tell: (session, text) => late.siblings?.tell(session, text) ?? false,
  };
  const replica = { name: siblingName(identity), siblings };
  const scopes = new Scopes({ app, script, env, drivers: storages, replica });
  const topology = await evaluate({
    form,
    api,
    script: identity.script,
    ...options.surroundings,
    host: {
      call: (service, payload, callOptions) =>
        late.network?.callService(service, payload, callOptions) ??
          Promise.reject(tooEarly(service)),
      current: () => CallContext.current,
      serve() {},
      print() {},
      scopes,
      effect: (effect) => scopes.effect(effect),
      auth: { folder: dirname(script), env, eager: false },
    },
  });
  const started = new Replica(options, topology, scopes);
  late.network = started.network;
  late.siblings = bookSiblings(started.switchboard, identity);
  return started;
}

function tooEarly(service: string): MpError {
  return new MpError(
    "replica_unreachable",
    `Cannot call "${service}": the script is still being loaded`,
    {
      reason: "absent",
      next: "Call services from handlers, not at the top level of the script",
    },
  );
}

/** How long parts have to say what they are missing, in milliseconds: longer than a storage has. */
const SURVEY_WITHIN = 5_000;

/** A replica that answers its peers. */
export class Replica {
  readonly plan: Plan;
  readonly node: PlanNode;
  readonly info: ReplicaInfo;
  readonly network: Network;
  readonly switchboard: Switchboard;
  readonly identity: ReplicaIdentity;
  readonly scopes: Scopes;
  /** Makes spans of calls, where telemetry is on. */
  readonly tracing: Tracing | undefined;
  /** Origins whose web pages may call through its doors, as they were given. */
  readonly cors: string;
  /** What it counts, whoever asks. */
  readonly metrics = new RpcMetrics();
  /** Answers a call here; the ingress, which has nothing of its own, has none. */
  readonly respond: Responder | undefined;
  /** Where callers from outside are asked who they are, by service; only in a replica with a door. */
  readonly gates: ReadonlyMap<string, Gate>;
  /** Whether it has been ready before. */
  begun = false;
  #server: PeerServer;
  #operators: Door | undefined;
  #openForOperators: () => Door;
  #doors: Door[] = [];
  #book: AddressBook;

  constructor(options: ReplicaOptions, topology: Topology, scopes: Scopes) {
    const { identity, book, secret, bundle, onFault, tracing, transport = sockets } = options;
    const { path, index, app } = identity;
    const widths = widthsOf(topology, book);
    const places = [...walk(topology, widths)];
    const place = findPlace(places, path);
    this.identity = identity;
    this.scopes = scopes;
    this.tracing = tracing;
    this.cors = options.env.MP_CORS ?? "";
    this.#book = book;
    this.plan = makePlan(topology, { app, bundle, widths });
    checkRevision(identity, this.plan);
    this.node = this.plan.nodes.find((node) => node.path === path)!;
    this.info = replicaInfo(this.node, index);
    this.gates = gatesOf(path, topology, this.plan, onFault);
    const credentials = { secret, revision: identity.revision };
    this.switchboard = new Switchboard({
      book,
      hello: { ...credentials, from: identity.name },
      onLeftOut: (path, why) => this.metrics.part(path).leftOut[why]++,
      dial: transport.dial,
    });
    this.network = new Network({
      switchboard: this.switchboard,
      places,
      replica: this.info,
      index,
      tracing,
      metrics: this.metrics,
      onEffect: (what) => scopes.effect(what),
    });
    this.respond = place && limited(
      responder(place, { parts: this.network.parts(place), scopes, onFault }),
      { ...(!isPattern(place.target) && limitsOf(place)), metrics: this.metrics },
    );
    const own = ownAddresses(book, identity);
    this.#server = new PeerServer({
      listener: transport.listen(own.peer),
      credentials,
      service: this.node.service,
      replica: this.info,
      respond: this.respond
        ? tracedResponder(fromWithin(this.respond, place!, topology), tracing, this.info)
        : refuse,
      survey: () => this.survey(),
      onHandedOn: (baton) => scopes.take(baton),
    });
    this.metrics.connections = () => ({
      outbound: this.switchboard.connections,
      inbound: this.#server.connections,
    });
    if (countsConnections) {
      this.metrics.doorConnections = () => {
        let count = 0;
        for (const door of this.#doors) count += door.connections;
        return count;
      };
    }
    this.#openForOperators = () => Door.forOperators(this, own.http, secret);
    for (const needed of this.node.needs) this.switchboard.peers(needed, "part");
  }

  /** Opens the replica's own endpoint for operators. */
  openForOperators(): void {
    this.#operators ??= this.#openForOperators();
  }

  /** Resolves when every part that this replica needs is connected. */
  ready(): Promise<void> {
    return this.switchboard.connected();
  }

  /** What it still needs in order to answer calls. */
  missing(): string[] {
    // a supervisor decides by itself when doors are opened
    const owesDoor = this.identity.supervisor === undefined && this.#doors.length === 0 &&
      this.#book.doors.some(({ node }) => node === this.identity.path);
    return [
      ...this.switchboard.missing(),
      ...this.scopes.missing(),
      ...(owesDoor ? ["its door"] : []),
    ];
  }

  /**
   * What it, and the replicas that it needs, are missing: they are asked, and so is the storage.
   *
   * @returns Names for people, each once.
   */
  async survey(): Promise<string[]> {
    const [storage, parts] = await Promise.all([
      this.scopes.look(),
      this.switchboard.survey(SURVEY_WITHIN),
    ]);
    return [...new Set([...this.missing(), ...storage, ...parts])];
  }

  /** Opens a door for callers from outside. @returns Where it listens. */
  async open(address: Address, takeOver: boolean): Promise<Address> {
    const index = this.#book.doors.findIndex((door) => (door.listen ?? door.address) === address);
    const { methods } = this.plan.doors[index] ?? this.plan.doors[0] ?? { methods: {} };
    const door = await Door.open(this, { address, takeOver, methods });
    this.#doors.push(door);
    return door.address;
  }

  /** Opens the doors that the address book gives to this replica. */
  async openDoors(): Promise<void> {
    for (const { node, address, listen = address } of this.#book.doors) {
      if (node === this.identity.path) await this.open(listen, false);
    }
  }

  /** Follows a new generation of the address book. */
  follow(book: AddressBook): void {
    if (book.generation > this.#book.generation) this.#book = book;
    this.switchboard.follow(book);
  }

  /** Answers a call that came in through a door. */
  answer(path: string, payload: Payload, context: CallContext): Promise<Payload> | Payload {
    if (path === this.identity.path && this.respond) return this.respond(payload, context);
    return this.network.callPath(path, payload, context);
  }

  /**
   * Answers what has come, and accepts nothing new.
   *
   * @param signal Ends the waiting.
   */
  async drain({ linger, leave }: DrainOptions, signal: AbortSignal): Promise<void> {
    if (leave) this.#server.leave();
    await Promise.all(this.#doors.map((door) => door.drain(linger, signal)));
    await this.#server.drained(signal);
    await Promise.race([this.#server.last(), aborted(signal)]);
    await this.scopes.close();
    this.close();
  }

  /** Closes everything at once. */
  close(): void {
    for (const door of this.#doors) door.close();
    this.#operators?.close();
    this.#server.close();
    this.switchboard.close();
  }
}

/** Routers have none of their own: what they pass on is limited where it is answered. */
function limitsOf(
  { maxConcurrent, maxQueued }: Placed,
): Pick<Placed, "maxConcurrent" | "maxQueued"> {
  return { maxConcurrent, maxQueued };
}

function checkRevision(identity: ReplicaIdentity, plan: Plan): void {
  if (plan.revision === identity.revision) return;
  throw new MpError(
    "revision_mismatch",
    `Cannot start ${identity.name}: the script makes revision ${plan.revision} here, not ${identity.revision}`,
    {
      next:
        "Register the same services and parts in every replica: do not let the environment, the clock or randomness decide the topology",
    },
  );
}

/** Where a replica listens. */
function ownAddresses(
  book: AddressBook,
  { path, index, name, listenHost }: ReplicaIdentity,
): Pick<ReplicaAddress, "peer" | "http"> {
  const own = book.replicas.find((replica) => replica.path === path && replica.index === index);
  if (own && listenHost === undefined) return own;
  if (own) return { peer: atHost(own.peer, listenHost!), http: atHost(own.http, listenHost!) };
  throw new MpError("launch_failed", `Cannot start ${name}: the address book does not list it`);
}

function refuse(): never {
  throw new MpError("method_not_found", "Cannot answer: the ingress has no handler of its own");
}
