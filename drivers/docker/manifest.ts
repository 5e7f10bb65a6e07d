/**
 * The render stage of the docker driver: plan + address book → a network, a volume and containers. Pure.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { MpError } from "../../runtime/errors.ts";
import type { AddressBook, DoorAddress } from "../../runtime/launch/address_book.ts";
import type {
  DeploymentNote,
  DriverSettings,
  RenderOptions,
  ReplicaId,
} from "../../runtime/launch/driver.ts";
import { parseAddress } from "../../runtime/peer/address.ts";
import type { Plan, PlanNode } from "../../runtime/plan/plan.ts";
import type { ReplicaEnvironment } from "../../runtime/replica/environment.ts";
import { telemetryEnv } from "../../runtime/telemetry/telemetry_env.ts";
import type { Resources } from "../../runtime/topology/target.ts";
import {
  containerName,
  dataVolume,
  hostName,
  LABELS,
  networkName,
  treeName,
  userOf,
} from "./names.ts";
import { DATA_FOLDER, storageForContainers } from "./storage_for_containers.ts";

/** Who replicas are: nobody in particular. */
export const USER = 65_532;
/** Where things are in a container. */
export const PLACES = Object.freeze({
  /** The volume with book and secret. */
  run: "/mp/run",
  book: "/mp/run/book.json",
  secret: "/mp/run/secret",
  users: "/mp/run/users",
  note: "/mp/run/note.json",
  /** The user's bundle. */
  bundle: "/mp/bundle/bundle.mjs",
  sourceMap: "/mp/bundle/bundle.mjs.map",
  app: "/app",
});

/** How long doors behind another container go on with open connections, in milliseconds. */
const LINGER = "1000";

/** A tree of replicas, as containers. */
export interface DockerManifest {
  readonly app: string;
  readonly tree: number;
  readonly revision: string;
  readonly version: string;
  readonly book: AddressBook;
  readonly note: DeploymentNote;
  /** What the image holds besides what runs it. */
  readonly bundle: { readonly code: string; readonly map: string; readonly hash: string };
  /** Files and folders that the image holds, too. */
  readonly files?: ScriptFiles;
  readonly settings: DriverSettings;
  readonly network: { readonly name: string; readonly labels: Labels };
  /** The volume with book and secret. */
  readonly runVolume: { readonly name: string; readonly labels: Labels };
  /** The volume of the storage `file`. */
  readonly dataVolume?: { readonly name: string; readonly labels: Labels };
  /** The file of this machine with known users, which is taken along. */
  readonly usersFile?: string;
  /** In the order of the book. */
  readonly containers: readonly ContainerSpec[];
}

/** What replicas read beside the script. */
export interface ScriptFiles {
  /** The folder of the script on this machine. */
  readonly folder: string;
  /** Relative to it, with slashes. */
  readonly paths: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/** One replica, as a container. */
export interface ContainerSpec extends ReplicaId {
  readonly name: string;
  /** Its name in the network. */
  readonly host: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Labels;
  /** Ports of the container, and where the engine publishes them. */
  readonly ports: readonly PublishedPort[];
  readonly resources: Resources;
  /** Volumes by where they are mounted. */
  readonly volumes: Readonly<Record<string, string>>;
}

/** A port that others than replicas reach. */
export interface PublishedPort {
  readonly inside: number;
  readonly host: string;
  readonly port: number;
}

/** What a driver knows of the machine that plans. */
export interface Surroundings {
  /** Reads a variable of the launcher's environment. */
  env(name: string): string | undefined;
}

/**
 * Renders a plan as containers.
 *
 * @throws {MpError} `unsupported` for what containers cannot do, `usage` for a storage that they cannot reach.
 */
export function render(
  plan: Plan,
  book: AddressBook,
  options: RenderOptions,
  { env: around }: Surroundings,
): DockerManifest {
  const { bundle, note, inspect } = options;
  if (inspect) {
    throw new MpError("unsupported", `Cannot inspect "${inspect.path}": it runs in a container`, {
      next: "Use --inspect with the driver process",
    });
  }
  const { app, revision } = plan;
  const { tree, order: { version, settings = {}, storage: chosen } } = note;
  const storage = storageForContainers(options.env, around, bundle.script, chosen);
  const usersFile = options.env.MP_AUTH_USERS ?? around("MP_AUTH_USERS");
  const labelsOf = (kind: string): Labels => ({
    [LABELS.app]: app,
    [LABELS.kind]: kind,
    [LABELS.tree]: String(tree),
    [LABELS.revision]: revision,
    [LABELS.version]: version,
  });
  const shared = {
    ...options.env,
    ...storage.env,
    ...(usersFile !== undefined && { MP_AUTH_USERS: PLACES.users }),
    MP_ROLE: "replica",
    MP_APP: app,
    MP_REVISION: revision,
    MP_BUNDLE: PLACES.bundle,
    MP_SOURCE_MAP: PLACES.sourceMap,
    MP_SCRIPT: `${PLACES.app}/${basename(bundle.script)}`,
    MP_BOOK: PLACES.book,
    MP_SECRET_FILE: PLACES.secret,
    MP_LISTEN_HOST: "0.0.0.0",
  } satisfies Partial<ReplicaEnvironment>;
  const data = storage.file ? dataVolume(app) : undefined;
  const nodes = new Map(plan.nodes.map((node) => [node.path, node]));
  return {
    app,
    tree,
    revision,
    version,
    book,
    note,
    bundle: { code: bundle.code, map: bundle.map, hash: bundle.hash },
    ...(plan.files && {
      files: { folder: dirname(bundle.script), paths: plan.files.map(({ path }) => path) },
    }),
    settings,
    network: {
      name: networkName(app),
      labels: { [LABELS.app]: app, [LABELS.kind]: "network", [LABELS.version]: version },
    },
    runVolume: {
      name: treeName(app, tree),
      labels: {
        ...labelsOf("run"),
        [LABELS.handle]: JSON.stringify(note.handle),
        [LABELS.plan]: JSON.stringify(plan),
        [LABELS.user]: userOf(around),
      },
    },
    ...(data && {
      dataVolume: { name: data, labels: { [LABELS.app]: app, [LABELS.kind]: "data" } },
    }),
    ...(usersFile !== undefined && { usersFile }),
    containers: book.replicas.map(({ path, index }): ContainerSpec => {
      const node = nodes.get(path);
      if (node === undefined) throw new TypeError(`Cannot render: the plan has no path "${path}"`);
      if (node.run.kind !== "bundle") throw unsupported(node);
      const replica = { path, index };
      const doors = index > 0 ? [] : book.doors.filter((door) => door.node === path);
      const published = doors.filter(({ relayed }) => !relayed);
      return {
        ...replica,
        name: containerName(app, replica),
        host: hostName(replica, tree),
        env: {
          ...node.env,
          ...shared,
          ...telemetryEnv({ ...node.env, ...options.env }, {
            app,
            revision,
            path,
            name: `${path}.${index}`,
          }),
          MP_REPLICA: `${path}.${index}`,
          // who passes calls on to it may have connections that are open
          ...(published.length < doors.length && { MP_LINGER: LINGER }),
        },
        labels: {
          ...labelsOf("replica"),
          [LABELS.path]: path,
          [LABELS.index]: String(index),
          ...(published.length > 0 &&
            { [LABELS.ports]: JSON.stringify(published.map(({ address }) => address)) }),
        },
        ports: published.map(publishedPort),
        resources: node.resources,
        volumes: {
          [PLACES.run]: treeName(app, tree),
          ...(data && { [DATA_FOLDER]: data }),
        },
      };
    }),
  };
}

function publishedPort({ address, listen }: DoorAddress): PublishedPort {
  const [outside, inside] = [parseAddress(address), parseAddress(listen ?? address)];
  if (outside.transport === "unix" || inside.transport === "unix") {
    throw new TypeError(`Cannot publish ${address}: it is no TCP port`);
  }
  return { inside: inside.port, host: outside.hostname, port: outside.port };
}

function unsupported(node: PlanNode): MpError {
  return new MpError(
    "unsupported",
    `Cannot run "${node.path}": the docker driver has no way to run a part of kind "${node.run.kind}"`,
    { where: node.path },
  );
}
