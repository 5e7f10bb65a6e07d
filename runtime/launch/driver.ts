/**
 * The contract of a driver: what turns a plan into running replicas. Types only.
 *
 * @module
 */

import type { MpError } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import type { Address, AddressBook } from "./address_book.ts";
import type { DeployOrder, OrderedBundle } from "./launcher.ts";

/** What a driver can do, as data. */
export interface Capabilities {
  /** Whether replicas outlive the launcher. */
  readonly outlivesLauncher: boolean;
  /** Whether `resources` are enforced. */
  readonly limitsResources: boolean;
  /** Whether an update can run beside the old tree, so that no call fails. */
  readonly blueGreen: boolean;
}

/**
 * A driver. `assign` and `render` decide everything before anything is started; `launch` carries it out.
 *
 * @typeParam Rendered The platform's objects: argument lists, container specs, manifests.
 */
export interface Driver<Rendered = unknown> {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Gives every replica its address, before anything is launched. */
  assign(plan: Plan, options: AssignOptions): Promise<AddressBook>;
  /** The platform's objects. Pure: it needs no platform to be tested. */
  render(plan: Plan, book: AddressBook, options: RenderOptions): Rendered;
  /** Launches. Resolves when the replicas are on their way; `events()` and `ready()` tell the rest. */
  launch(rendered: Rendered, options: LaunchOptions): Promise<Deployment<Rendered>>;
  /**
   * The platform's objects as files, with which the platform's own tools run the same. The first is the one
   * to begin with. Absent where replicas are nothing without `mp`.
   */
  export?(rendered: Rendered): readonly ExportedFile[] | Promise<readonly ExportedFile[]>;
  /**
   * The deployments that the platform itself knows of, whoever launched them from where. Those of a platform
   * that is not there are none. Absent where replicas end with their launcher.
   */
  discover?(filter: Filter): AsyncIterable<Discovered>;
  /** The settings that say where on the platform a deployment is, such as `namespace`. Default: none. */
  readonly places?: readonly string[];
  /**
   * Takes up a deployment that was launched by another process. Present where `discover` is.
   *
   * @returns `null` when it is gone.
   */
  recover?(handle: DeploymentHandle, options: LaunchOptions): Promise<Recovered<Rendered> | null>;
  /**
   * Has the platform say what a launch would make, without making it. Absent where a platform has no such thing.
   *
   * @returns One line a thing, for a person.
   * @throws {MpError} What it would refuse.
   */
  dryRun?(
    rendered: Rendered,
    options: { readonly signal?: AbortSignal },
  ): Promise<readonly string[]>;
  /**
   * Opens a way from this machine to a door whose address only the platform's own network knows. Absent where
   * doors are reached at their addresses.
   */
  reach?(handle: DeploymentHandle, door: Address, signal?: AbortSignal): Promise<Reached>;
  /** Where the storage `file` of an app is, where it is no file of this machine. Absent where it is one. */
  dataElsewhere?(plan: Plan): DataElsewhere;
  /** Looks at the platform. @returns What it is, for a person. @throws {MpError} Why it cannot be used. */
  probe?(): Promise<string>;
  /** Removes what stays when deployments of an app are deleted, such as data and images. @returns What was removed, for a person. */
  purge?(app: string, options: PurgeOptions): Promise<readonly string[]>;
}

/** Data that only the platform reaches. For people. */
export interface DataElsewhere {
  /** `in the volume mp-shop-data`. */
  readonly where: string;
  /** How to get at it. */
  readonly next: string;
}

/** A way to a door, until it is disposed. */
export interface Reached extends AsyncDisposable {
  /** On this machine. */
  readonly address: Address;
}

/** A file of an export. */
export interface ExportedFile {
  /** Its path in the folder of the export, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Which deployments to discover. */
export interface Filter {
  /** Only those of this app. Default: all. */
  readonly app?: string;
  /** What an order says to the driver, such as a namespace: only those there, and why they cannot be seen. */
  readonly settings?: DriverSettings;
  readonly signal?: AbortSignal;
}

/** A deployment as the platform knows it. */
export interface Discovered {
  readonly handle: DeploymentHandle;
  /** The plan with which it was launched; counts may have changed since. */
  readonly plan: Plan;
  /** The version of `mp` that launched it. */
  readonly version: string;
}

/** A deployment that was taken up, with all that its next launcher needs to know. */
export interface Recovered<Rendered = unknown> {
  readonly deployment: Deployment<Rendered>;
  readonly note: DeploymentNote;
  /** The text of its bundle, which the note leaves out. */
  bundle(): Promise<Pick<OrderedBundle, "code" | "map">>;
}

/** What a driver keeps with a deployment, so that another launcher can take it up; JSON. */
export interface DeploymentNote {
  readonly handle: DeploymentHandle;
  /** What was ordered; the bundle without its text. */
  readonly order: Omit<DeployOrder, "bundle"> & {
    readonly bundle: Omit<OrderedBundle, "code" | "map">;
  };
  readonly book: AddressBook;
  /** Counts the trees of replicas, from 1. */
  readonly tree: number;
  /** Counts that `mp scale` set, by path. */
  readonly scaled: Readonly<Record<string, number>>;
}

export interface PurgeOptions {
  /** Whether images are removed too. */
  readonly images: boolean;
  readonly signal?: AbortSignal;
}

export interface AssignOptions {
  /** Where the deployment's own door listens. */
  readonly host: string;
  /** Its port; 0 picks a free one. */
  readonly port: number;
  /** The tree that this one replaces, whose doors it takes over. */
  readonly replaces?: AddressBook;
  /** The tree that is scaled in place: what stays keeps its address. */
  readonly scales?: AddressBook;
  /** Counts the trees of replicas, from 1. */
  readonly tree?: number;
  /** Whether it is only rendered, to be launched elsewhere: what this machine uses is no matter. */
  readonly elsewhere?: boolean;
}

export interface RenderOptions {
  /** The files of the deployment, on this machine. */
  readonly files: DeploymentFiles;
  /** What is in them, for platforms that take it along. */
  readonly bundle: OrderedBundle;
  /** What is kept with a deployment that others may take up. */
  readonly note: DeploymentNote;
  /** Environment of every replica, besides each node's own. */
  readonly env: Readonly<Record<string, string>>;
  /** The working folder of replicas: where `mp run` was called, so that paths in `env` mean what they say. */
  readonly cwd: string;
  /** How a replica is started, where it is a process of this machine. */
  readonly command: ReplicaCommand;
  /** The path whose replica 0 is started with the inspector, and how. */
  readonly inspect?: { readonly path: string; readonly command: ReplicaCommand };
}

/** What the command line says to one driver or another, by the option's name: `baseImage`, `namespace`. */
export type DriverSettings = Readonly<Record<string, string | boolean>>;

/** A program and its arguments. */
export interface ReplicaCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** The files that a replica reads, each written once before launch. */
export interface DeploymentFiles {
  /** The bundle in its canonical form. */
  readonly bundle: string;
  /** The bundle's source map. */
  readonly sourceMap: string;
  /** The topology script, for messages and `import.meta`. */
  readonly script: string;
}

export interface LaunchOptions {
  readonly signal?: AbortSignal;
  /** The folder where logs of replicas are kept. */
  readonly logs: string;
  /** How long a replica may drain before it is killed, in milliseconds. Default: 10,000. */
  readonly grace?: number;
  /** Told of what is wrong but stops nothing, such as logs that cannot be kept. */
  readonly warn?: (warning: MpError) => void;
  /** Told what takes long, such as building an image. */
  readonly tell?: (text: string) => void;
}

/** A replica: a path and a flat index. */
export interface ReplicaId {
  readonly path: string;
  readonly index: number;
}

export type ReplicaState =
  | "starting"
  | "ready"
  | "busy"
  | "restarting"
  | "crash loop"
  | "stalled"
  | "draining"
  | "stopped";

export interface ReplicaStatus extends ReplicaId {
  readonly state: ReplicaState;
  /** Counts the trees of a deployment from 1; an update starts another beside the one before. */
  readonly tree: number;
  readonly pid?: number;
  readonly restarts: number;
  /** When it became ready, in milliseconds since the epoch. */
  readonly since?: number;
  /** How it ended last, e.g. `killed by SIGKILL`, `exited with 1`. */
  readonly lastExit?: string;
  /** What is wrong with it, for a person. */
  readonly message?: string;
}

/** Something that happened to a replica. */
export interface DeploymentEvent extends ReplicaStatus {
  readonly time: number;
}

/** One line that a replica wrote. */
export interface LogLine extends ReplicaId {
  readonly time: number;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** The request that was being answered, where the driver can tell. */
  readonly requestId?: string;
  /** The trace that the request is a part of, if it is. */
  readonly traceId?: string;
}

/** A plan that a driver has launched. */
export interface Deployment<Rendered = unknown> extends AsyncDisposable {
  readonly book: AddressBook;
  /** Resolves when every replica is ready. @throws {MpError} `crash_loop` or `launch_failed`. */
  ready(signal?: AbortSignal): Promise<void>;
  status(): ReplicaStatus[];
  /** What happens from now on, until `signal` aborts or the deployment is deleted. */
  events(signal?: AbortSignal): AsyncIterable<DeploymentEvent>;
  /** What replicas write from now on, until `signal` aborts or the deployment is deleted. */
  lines(signal?: AbortSignal): AsyncIterable<LogLine>;
  restart(replica: ReplicaId): Promise<void>;
  /** Adds or removes replicas of a part without state; `book` and `rendered` are the new whole. */
  scale(book: AddressBook, rendered: Rendered): Promise<void>;
  /** Starts a new tree beside this one, moves the doors to it when it is ready, and drains the old. */
  update(book: AddressBook, rendered: Rendered): Promise<void>;
  /** Drains and stops every replica, and removes what was made; data stays, see {@linkcode Driver.purge}. Idempotent. */
  delete(): Promise<void>;
  /** Lets it go on without this launcher. Present where replicas outlive it. */
  leave?(): Promise<void>;
  /** What replicas wrote, the oldest first, where the platform keeps it; otherwise files do. */
  logs?(options: LogOptions): AsyncIterable<LogLine>;
}

/** Which lines to read. */
export interface LogOptions {
  /** Which replicas to read. Default: all. */
  readonly replica?: (id: ReplicaId) => boolean;
  /** How many of the last lines of each replica to begin with. Default: all. */
  readonly tail?: number;
  /** Nothing before this time, in milliseconds since the epoch. */
  readonly since?: number;
  /** Whether to wait for more, until `signal` aborts. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** Where a deployment is reached; JSON. */
export interface DeploymentHandle {
  readonly app: string;
  readonly driver: string;
  readonly script: string;
  readonly revision: string;
  readonly doors: readonly { readonly address: Address; readonly methods: readonly string[] }[];
  readonly created: string;
  /** What the command line said to the driver, such as the cluster and the namespace. */
  readonly settings?: DriverSettings;
}
