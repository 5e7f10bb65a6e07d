/**
 * A cluster in this process: an API server, and pods as child processes.
 *
 * @module
 */

import { join } from "@std/path";
import { replicaEntry } from "../../../runtime/launch/prepare.ts";
import { replicaCommand } from "../../../runtime/launch/serving_half.ts";
import { stopBundler } from "../../../runtime/script/bundle.ts";
import { ApiServer } from "./api_server.ts";
import { PodRunner } from "./pod_runner.ts";

/** The image that its node has. */
export const IMAGE = "mp:stand-in";

/** See the module's documentation. */
export class StandIn implements AsyncDisposable {
  private constructor(
    readonly api: ApiServer,
    readonly pods: PodRunner,
    readonly folder: string,
  ) {}

  static async start(): Promise<StandIn> {
    const api = await ApiServer.start();
    const command = replicaCommand(await replicaEntry());
    // what replicas run may have had to be made first
    await stopBundler();
    const pods = await PodRunner.start({ api, command, images: new Set([IMAGE]) });
    const folder = await Deno.makeTempDir({ prefix: "mp-kubeconfig-" });
    await Deno.writeTextFile(join(folder, "config"), api.kubeconfig());
    return new StandIn(api, pods, folder);
  }

  /** The environment of who uses it. */
  readonly env = (name: string): string | undefined =>
    name === "KUBECONFIG" ? join(this.folder, "config") : undefined;

  /** What is there that belongs to an app. */
  left(app: string): string[] {
    const kinds = [
      "deployments",
      "statefulsets",
      "pods",
      "services",
      "configmaps",
      "secrets",
      "networkpolicies",
      "poddisruptionbudgets",
      "serviceaccounts",
    ];
    return kinds.flatMap((kind) =>
      this.api.store.list(kind).filter(({ metadata }) =>
        metadata.labels?.["metaparticle.io/app"] === app
      ).map(({ metadata }) => `${kind}/${metadata.name}`)
    );
  }

  /** Calls a service as a pod of the cluster does, through the Service of its door. */
  async call(service: string, port: number, body: unknown): Promise<Response> {
    const to = this.pods.network.target("default", service, port);
    if (!to) throw new Error(`no pod answers for ${service}`);
    return await fetch(`http://${to.hostname}:${to.port}/`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify(body),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pods[Symbol.asyncDispose]();
    await this.api[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
