/**
 * All replicas of a script in the test's own process, over unix sockets in a temporary folder.
 *
 * @module
 */

import * as api from "../../../mod.ts";
import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { Peer } from "../../../runtime/peer/peer.ts";
import { makePlan } from "../../../runtime/plan/make_plan.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import { type Replica, startReplica } from "../../../runtime/replica/replica.ts";
import type { StorageDrivers } from "../../../runtime/storage/lazy_storage.ts";
import type { Widths } from "../../../runtime/topology/walk.ts";
import { settledSockets } from "./settled_sockets.ts";
import { boundApi } from "../topology/bound_api.ts";
import { bookOf } from "./book_of.ts";

/** A topology script; it is run once for every replica. */
export type Script = (mp: typeof api) => void | Promise<void>;

/** Options of {@linkcode Tree.start}. */
export interface TreeOptions {
  /** Numbers of replicas that differ from the script's. */
  widths?: Widths;
  /** How storages are opened; the one that is used is `memory`. */
  storages?: StorageDrivers;
}

const APP = "test";
const BUNDLE = "0123456789abcdef".repeat(4);
const SECRET = "s3cret";

/** See the module's documentation. */
export class Tree implements AsyncDisposable {
  /** By name, the one started last. */
  readonly replicas = new Map<string, Replica>();
  /** What the handlers threw. */
  readonly faults: unknown[] = [];
  #started: Replica[] = [];
  #peers: Peer[] = [];
  #sockets = settledSockets();

  readonly plan: Plan;
  readonly book: AddressBook;
  #script: Script;
  #storages: StorageDrivers;

  private constructor(script: Script, plan: Plan, book: AddressBook, storages: StorageDrivers) {
    this.plan = plan;
    this.book = book;
    this.#script = script;
    this.#storages = storages;
  }

  /** Starts every replica and waits until all are ready. */
  static async start(
    script: Script,
    { widths = {}, storages = {} }: TreeOptions = {},
  ): Promise<Tree> {
    const { mp, topology } = boundApi();
    await script({ ...api, ...mp } as unknown as typeof api);
    const plan = makePlan(topology, { app: APP, bundle: BUNDLE, widths });
    const tree = new Tree(script, plan, bookOf(plan, await Deno.makeTempDir()), storages);
    await Promise.all(tree.book.replicas.map(({ path, index }) => tree.start(path, index)));
    await Promise.all([...tree.replicas.values()].map((replica) => replica.ready()));
    return tree;
  }

  /** Starts one replica of a book, which is this tree's unless another is given. */
  async start(path: string, index: number, book: AddressBook = this.book): Promise<Replica> {
    const name = `${path}.${index}`;
    const replica = await startReplica({
      identity: {
        app: APP,
        path,
        index,
        name,
        revision: book.revision,
        bundle: "/bundle.js",
        sourceMap: "/bundle.js.map",
        script: "/topology.ts",
        book: { file: "/book.json" },
        secret: { file: "/secret" },
        supervisor: undefined,
        parent: undefined,
        listenHost: undefined,
        grace: 10_000,
        linger: 0,
      },
      book,
      secret: SECRET,
      form: async ({ api }) => {
        await this.#script(api as unknown as Parameters<Script>[0]);
        return {};
      },
      bundle: BUNDLE,
      api,
      storages: this.#storages,
      env: { MP_STORAGE: "memory" },
      transport: this.#sockets,
      onFault: (error) => this.faults.push(error),
    });
    this.#started.push(replica);
    this.replicas.set(name, replica);
    return replica;
  }

  /** Calls one replica as another service would. */
  async call(name: string, request?: unknown, timeout = 5_000): Promise<unknown> {
    const text = request === undefined ? "" : JSON.stringify(request);
    const reply = await this.peer(name).call(text, { timeout, meta: "test-1" });
    return reply === "" ? undefined : JSON.parse(reply);
  }

  /** A connection to one replica. */
  peer(name: string, as: "part" | "service" = "service"): Peer {
    const found = this.book.replicas.find(({ path, index }) => `${path}.${index}` === name)!;
    const peer = new Peer({
      name,
      address: found.peer,
      hello: { secret: SECRET, revision: this.plan.revision, from: "test.0", as },
      dial: this.#sockets.dial,
    });
    this.#peers.push(peer);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.close();
    for (const replica of this.#started) replica.close();
    await this.#sockets.settled();
    const { peer } = this.book.replicas[0]!;
    await Deno.remove(new URL(".", `file://${peer.slice("unix:".length)}`), { recursive: true });
    deadlines.settle();
  }
}
