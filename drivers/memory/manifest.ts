/**
 * The stages assign and render of the memory driver: plan → addresses → the replicas to start. Pure, but
 * for the ports of doors.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Address, AddressBook } from "../../runtime/launch/address_book.ts";
import type {
  AssignOptions,
  DeploymentFiles,
  RenderOptions,
  ReplicaId,
} from "../../runtime/launch/driver.ts";
import { tcpAddress } from "../../runtime/peer/address.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { peerAddress } from "./network.ts";

/** A tree of replicas in this process. */
export interface MemoryManifest {
  readonly plan: Plan;
  readonly book: AddressBook;
  readonly files: DeploymentFiles;
  /** In the order of the book. */
  readonly replicas: readonly MemoryReplicaSpec[];
}

/** One replica, as an instance of the bundle. */
export interface MemoryReplicaSpec extends ReplicaId {
  /** Path and flat index, `histogram-service.scatter.3`. */
  readonly name: string;
  /** What its script sees as its environment, besides the process's own. */
  readonly env: Readonly<Record<string, string>>;
}

let trees = 0;

/**
 * Gives every replica its address.
 *
 * @param doors Whether doors listen on ports of this machine, or are called within the process only.
 * @throws {MpError} `port_in_use`
 */
export function assign(plan: Plan, options: AssignOptions, doors: "http" | "none"): AddressBook {
  const { scales } = options;
  const tree = scales?.replicas[0]?.peer.match(/^memory:(\d+)\//)?.[1] ?? ++trees;
  return {
    revision: plan.revision,
    generation: (scales?.generation ?? 0) + 1,
    replicas: plan.nodes.flatMap(({ path, replicas }) =>
      Array.from({ length: replicas }, (_, index) => {
        const peer = peerAddress(tree, nameOf({ path, index }));
        return { path, index, peer, http: `${peer}.http` as Address };
      })
    ),
    doors: scales?.doors ?? assignDoors(plan, options, doors),
  };
}

function assignDoors(
  plan: Plan,
  { host, port, replaces }: AssignOptions,
  doors: "http" | "none",
): AddressBook["doors"] {
  return plan.doors.map((door, i) => {
    const { node } = door;
    if (doors === "none") return { node, address: `memory:door/${i}` };
    const own = door.port ?? port;
    const taken = replaces?.doors.find(({ address }, j) =>
      own === 0 ? j === i : address.endsWith(`:${own}`)
    );
    return { node, address: taken?.address ?? freePort(host, own) };
  });
}

function freePort(hostname: string, port: number): Address {
  try {
    using listener = Deno.listen({ hostname, port });
    return tcpAddress(listener.addr.hostname, listener.addr.port);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new MpError("port_in_use", `Cannot listen on ${hostname}:${port}: the port is in use`, {
      next: "Free the port, or choose another with --port (0 picks a free one)",
      cause: error,
    });
  }
}

/** Renders a plan as instances of the bundle. @throws {MpError} `unsupported` for parts that are no bundle. */
export function render(
  plan: Plan,
  book: AddressBook,
  options: Pick<RenderOptions, "files" | "env">,
): MemoryManifest {
  const nodes = new Map(plan.nodes.map((node) => [node.path, node]));
  const replicas = book.replicas.map((address): MemoryReplicaSpec => {
    const { path, index } = address;
    const node = nodes.get(path);
    if (node === undefined) throw new TypeError(`Cannot render: the plan has no path "${path}"`);
    if (node.run.kind !== "bundle") {
      throw new MpError(
        "unsupported",
        `Cannot run "${path}": the memory driver has no way to run a part of kind "${node.run.kind}"`,
        { where: path, next: "Use another driver, such as docker" },
      );
    }
    const name = nameOf(address);
    return {
      path,
      index,
      name,
      env: { ...node.env, ...options.env, MP_ROLE: "replica", MP_REPLICA: name, MP_APP: plan.app },
    };
  });
  return { plan, book, files: options.files, replicas };
}

/** A replica's name: path and flat index. */
export function nameOf({ path, index }: ReplicaId): string {
  return `${path}.${index}`;
}
