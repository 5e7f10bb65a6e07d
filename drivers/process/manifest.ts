/**
 * The render stage of the process driver: plan + address book → the processes to start. Pure.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Address, AddressBook, ReplicaAddress } from "../../runtime/launch/address_book.ts";
import type { RenderOptions, ReplicaId } from "../../runtime/launch/driver.ts";
import type { Plan, PlanNode } from "../../runtime/plan/plan.ts";
import { telemetryEnv } from "../../runtime/telemetry/telemetry_env.ts";

/** A tree of replicas, as processes. */
export interface ProcessManifest {
  readonly app: string;
  readonly book: AddressBook;
  /** The private folder, with everything below in it. */
  readonly folder: string;
  /** The address book, a file. */
  readonly bookFile: string;
  /** The deployment's secret, a file. */
  readonly secretFile: string;
  /** Where the launcher listens for its replicas; port 0 stands for any. */
  readonly supervisor: Address;
  /** In the order of the book. */
  readonly replicas: readonly ProcessReplica[];
}

/** One replica, as a process. */
export interface ProcessReplica extends ReplicaId {
  /** Path and flat index, `histogram-service.scatter.3`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What is added to the launcher's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Its sockets, which an ended process leaves behind. */
  readonly sockets: readonly Address[];
  /** The doors that it opens. */
  readonly doors: readonly Address[];
  /** Names of the replicas that connect to it as soon as it listens; all others when it is a service's root. */
  readonly callers: readonly string[] | "all";
  /** How long its event loop may be blocked, in milliseconds; infinite under a debugger. */
  readonly stallLimit: number;
}

/**
 * Renders a plan as processes.
 *
 * @throws {MpError} `unsupported` for parts that are no bundle, `usage` when the path to inspect is unknown.
 */
export function render(plan: Plan, book: AddressBook, options: RenderOptions): ProcessManifest {
  if (book.folder === undefined) throw new TypeError("Cannot render: the book has no folder");
  const { folder } = book;
  const { inspect } = options;
  if (inspect && !plan.nodes.some((node) => node.path === inspect.path)) {
    throw new MpError("usage", `Cannot inspect "${inspect.path}": there is no such path`, {
      next: `Use one of ${plan.nodes.map((node) => node.path).join(", ")}`,
    });
  }
  const inFolder: Pick<ProcessManifest, "bookFile" | "secretFile" | "supervisor"> = {
    bookFile: `${folder}/book.json`,
    secretFile: `${folder}/secret`,
    supervisor: book.replicas.some(({ peer }) => peer.startsWith("tcp:"))
      ? "tcp:127.0.0.1:0"
      : `unix:${folder}/s`,
  };
  const nodes = new Map(plan.nodes.map((node) => [node.path, node]));
  const { bundle, sourceMap, script } = options.files;
  const shared = {
    ...options.env,
    MP_ROLE: "replica",
    MP_APP: plan.app,
    MP_REVISION: plan.revision,
    MP_BUNDLE: bundle,
    MP_SOURCE_MAP: sourceMap,
    MP_SCRIPT: script,
    MP_BOOK: inFolder.bookFile,
    MP_SECRET_FILE: inFolder.secretFile,
    MP_SUPERVISOR: inFolder.supervisor,
  };
  const replicas = book.replicas.map((address): ProcessReplica => {
    const { path, index, peer, http } = address;
    const node = nodes.get(path);
    if (node === undefined) throw new TypeError(`Cannot render: the plan has no path "${path}"`);
    if (node.run.kind !== "bundle") throw unsupported(node);
    const name = nameOf(address);
    const inspected = inspect?.path === path && index === 0;
    const { command, args } = inspected ? inspect.command : options.command;
    return {
      path,
      index,
      name,
      command,
      args,
      // flags beat the script, and what the replica needs beats both
      env: {
        ...node.env,
        ...shared,
        ...telemetryEnv({ ...node.env, ...options.env }, { ...plan, path, name }),
        MP_REPLICA: name,
        // what it prints is read by the launcher
        MP_LOG_MARKS: "1",
      },
      cwd: options.cwd,
      sockets: [peer, http],
      doors: index > 0
        ? []
        : book.doors.filter((door) => door.node === path).map((door) => door.address),
      callers: callersOf(plan, book, node),
      stallLimit: inspected ? Infinity : node.health.stallLimit,
    };
  });
  return { app: plan.app, book, folder, ...inFolder, replicas };
}

/** A replica's name: path and flat index. */
export function nameOf({ path, index }: ReplicaId): string {
  return `${path}.${index}`;
}

function callersOf(plan: Plan, book: AddressBook, node: PlanNode): readonly string[] | "all" {
  const isRoot = plan.nodes.find(({ service }) => service === node.service) === node;
  if (isRoot) return "all";
  const callers = new Set(
    plan.nodes.filter(({ needs }) => needs.includes(node.path)).map(({ path }) => path),
  );
  return book.replicas.filter(({ path }: ReplicaAddress) => callers.has(path)).map(nameOf);
}

function unsupported(node: PlanNode): MpError {
  return new MpError(
    "unsupported",
    `Cannot run "${node.path}": the process driver has no way to run a part of kind "${node.run.kind}"`,
    { where: node.path, next: "Use another driver, such as --driver=docker" },
  );
}
