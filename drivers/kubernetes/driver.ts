/**
 * The Kubernetes driver: replicas are pods.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { MpError } from "../../runtime/errors.ts";
import type {
  DeploymentHandle,
  Discovered,
  Driver,
  LaunchOptions,
  Recovered,
} from "../../runtime/launch/driver.ts";
import { AppObjects } from "./app_objects.ts";
import { assignPods } from "./assign.ts";
import { exportManifest } from "./export_manifest.ts";
import { findNotes } from "./find_notes.ts";
import { KubeDeployment } from "./kube_deployment.ts";
import type { KubernetesManifest } from "./manifest.ts";
import { BUNDLE_FILE, MAP_FILE } from "./objects/config_maps.ts";
import { type Cluster, type Environment, openCluster } from "./open_cluster.ts";
import { describeCluster } from "./describe_cluster.ts";
import { dryRun } from "./dry_run.ts";
import { type ImageBuilder, provideImage } from "./provide_image.ts";
import { reachDoor } from "./reach_door.ts";
import { type KubernetesOrder, readOrder, renderOrdered } from "./render_order.ts";
import { treeName } from "./tree_name.ts";

/** How long a cluster may take to tell of itself, in milliseconds. */
const PATIENCE = 10_000;

/** Options of {@linkcode kubernetesDriver}. */
export interface KubernetesDriverOptions {
  /** Reads a variable of the environment. Default: this process's. */
  readonly env?: Environment;
  /** How long doors go on after their pods were told to end, in milliseconds. Default: 5,000. */
  readonly linger?: number;
  /** What builds an image where none is named. */
  readonly builder?: ImageBuilder;
}

/** The Kubernetes driver. */
export type KubernetesDriver =
  & Driver<KubernetesManifest>
  & Required<
    Pick<Driver<KubernetesManifest>, "discover" | "recover" | "export" | "reach">
  >;

/**
 * Makes the Kubernetes driver.
 *
 * Everything is applied server-side and found again by its labels, so that any `mp` with the rights can take a
 * deployment up. An update is a whole new tree of pods beside the old; the Services of the doors move when it
 * is ready.
 */
export function kubernetesDriver(options: KubernetesDriverOptions = {}): KubernetesDriver {
  const env: Environment = options.env ?? ((name) => Deno.env.get(name) || undefined);
  return {
    name: "kubernetes",
    capabilities: { outlivesLauncher: true, limitsResources: true, blueGreen: true },
    // deno-lint-ignore require-await -- what it throws is to be a rejection
    async assign(plan, { port, tree = 1, replaces, scales }) {
      return assignPods(plan, {
        tree: scales?.tree ?? treeName(plan, tree, replaces?.tree),
        port: port || 3000,
        generation: (scales?.generation ?? 0) + 1,
      });
    },
    render: (plan, book, renderOptions) =>
      renderOrdered(plan, book, renderOptions, { linger: options.linger, around: env }),
    export: exportManifest,
    async launch(manifest, launchOptions) {
      const order = readOrder(manifest.settings);
      const cluster = openCluster(order, env);
      try {
        await provideImage(manifest.image, {
          settings: manifest.settings,
          version: manifest.version,
          context: cluster.context,
          builder: options.builder,
          signal: launchOptions.signal,
        });
      } catch (error) {
        cluster.client.close();
        throw error;
      }
      const deployment = new KubeDeployment(manifest, {
        ...launchOptions,
        ...cluster,
        recovered: false,
      });
      await deployment.launch();
      return deployment;
    },
    places: ["namespace", "context"],
    async *discover({ app, settings, signal }) {
      const cluster = settings ? openCluster(readOrder(settings), env) : tryOpen(env);
      if (!cluster) return;
      try {
        for (const { note } of await findNotes(cluster, app, signal)) {
          yield {
            // whoever was told where to look goes on there
            handle: { ...note.handle, settings: { ...note.handle.settings, ...settings } },
            plan: note.order.plan,
            version: note.order.version,
          } satisfies Discovered;
        }
      } catch (error) {
        // a cluster that is away, or of which this user may see nothing, has nothing to be found
        const isAway = error instanceof MpError && error.code.startsWith("cluster_");
        if (settings || !isAway) throw error;
      } finally {
        cluster.client.close();
      }
    },
    async probe() {
      const cluster = tryOpen(env);
      if (!cluster) return "no kubeconfig: needed only for --driver kubernetes";
      return await describeCluster(cluster, AbortSignal.timeout(PATIENCE));
    },
    async dryRun(manifest, { signal }) {
      return await dryRun(manifest, openCluster(readOrder(manifest.settings), env), signal);
    },
    async reach(handle, door, signal) {
      return await reachDoor(openCluster(placeOf(handle), env), door, signal);
    },
    async recover(handle, launchOptions) {
      return await recover(
        handle.app,
        { ...launchOptions, linger: options.linger },
        openCluster(placeOf(handle), env),
      );
    },
  };
}

/** Where a deployment is. */
function placeOf({ settings }: DeploymentHandle): Pick<KubernetesOrder, "context" | "namespace"> {
  const { context, namespace } = readOrder(settings);
  return { context, namespace };
}

/** The cluster of the current context; nothing where no cluster is set up. */
function tryOpen(env: Environment): Cluster | undefined {
  try {
    return openCluster({}, env);
  } catch (error) {
    if (error instanceof MpError && error.code === "cluster_unavailable") return undefined;
    throw error;
  }
}

async function recover(
  app: string,
  options: LaunchOptions & { readonly linger: number | undefined },
  cluster: Cluster,
): Promise<Recovered<KubernetesManifest> | null> {
  const { client, context, namespace } = cluster;
  let found: Awaited<ReturnType<typeof findNotes>>[number] | undefined;
  try {
    [found] = await findNotes(cluster, app, options.signal);
  } finally {
    if (!found) client.close();
  }
  if (!found) return null;
  const { note } = found;
  const { tree } = note.book;
  if (tree === undefined) return null;
  const text = async () => {
    const objects = await new AppObjects({ client, namespace, app }).list(
      undefined,
      options.signal,
    );
    for (const { binaryData } of objects) {
      const code = unpack(binaryData?.[BUNDLE_FILE]);
      // other trees may have left theirs
      if (digest(code) === note.order.bundle.hash) {
        return { code, map: unpack(binaryData?.[MAP_FILE]) };
      }
    }
    throw new MpError("deployment_not_found", `Cannot take up "${app}": its bundle is gone`, {
      next: "Run its script again",
    });
  };
  const { code, map } = await text();
  const bundle = { ...note.order.bundle, code, map };
  const manifest = renderOrdered(note.order.plan, note.book, {
    files: { bundle: "", sourceMap: "", script: bundle.script },
    bundle,
    note,
    env: note.order.env,
    cwd: note.order.cwd,
    command: { command: "mp", args: [] },
  }, options);
  const deployment = new KubeDeployment(manifest, {
    ...options,
    client,
    context,
    namespace,
    recovered: true,
  });
  try {
    await deployment.known();
  } catch (error) {
    await deployment.leave();
    throw error;
  }
  return { deployment, note, bundle: () => Promise.resolve({ code, map }) };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function unpack(data: string | undefined): string {
  return data === undefined ? "" : gunzipSync(Buffer.from(data, "base64")).toString("utf8");
}
