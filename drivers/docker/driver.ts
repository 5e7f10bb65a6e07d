/**
 * The docker driver: replicas are containers of Docker or Podman, over the Engine API.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Driver, Recovered } from "../../runtime/launch/driver.ts";
import { assign, type PortOwner } from "./assign.ts";
import { composeFiles } from "./compose.ts";
import { getFiles } from "./containers.ts";
import { adoptContainers, launchContainers } from "./deployment.ts";
import { type Engine, engineAt } from "./engine.ts";
import { engineAddress, mayAnswer } from "./engine_address.ts";
import { containerName, dataVolume, userOf } from "./names.ts";
import { DATA_FOLDER } from "./storage_for_containers.ts";
import { type DockerManifest, PLACES, render } from "./manifest.ts";
import { purgeApp, survey } from "./survey.ts";

/** How long an engine may take to say what it is, in milliseconds. */
const PROBE_PATIENCE = 5_000;

/** Options of {@linkcode dockerDriver}. */
export interface DockerDriverOptions {
  /** Reads a variable of the environment; an empty one counts as absent. */
  env(name: string): string | undefined;
  /** Who listens on a port of this machine, where that can be known. */
  readonly portOwner?: PortOwner;
}

/**
 * Makes the docker driver.
 *
 * Replicas are containers in a private network, of an image made of what runs here. The engine restarts those
 * that end, and they go on when their launcher ends; any other finds them again by their labels.
 */
export function dockerDriver({ env, portOwner }: DockerDriverOptions): Driver<DockerManifest> {
  let known: Engine | undefined;
  const engine = () => known ??= engineAt(engineAddress(env));
  return {
    name: "docker",
    capabilities: { outlivesLauncher: true, limitsResources: true, blueGreen: true },
    assign: (plan, options) =>
      assign(plan, options, portOwner ?? (() => Promise.resolve(undefined))),
    render: (plan, book, options) => render(plan, book, options, { env }),
    launch: (manifest, options) => launchContainers(engine(), manifest, options),
    export: (manifest) => composeFiles(manifest, engine()),
    async *discover(filter) {
      try {
        if (mayAnswer(engine().address)) {
          yield* await survey(engine(), { user: userOf(env), ...filter });
        }
      } catch (error) {
        // without an engine there is nothing to be found
        if (!(error instanceof MpError && error.code === "engine_unavailable")) throw error;
      }
    },
    async recover({ app }, options) {
      const [found] = await survey(engine(), { app });
      const [any] = found?.containers ?? [];
      if (any === undefined) return null;
      const files = await getFiles(engine(), any.Id, PLACES.note);
      const note = files.get("note.json");
      if (note === undefined) return null;
      return {
        note: JSON.parse(note),
        deployment: await adoptContainers(engine(), JSON.parse(note), options),
        async bundle() {
          const files = await getFiles(engine(), any.Id, PLACES.bundle.replace(/\/[^/]*$/, ""));
          return { code: files.get("bundle.mjs") ?? "", map: files.get("bundle.mjs.map") ?? "" };
        },
      } satisfies Recovered<DockerManifest>;
    },
    dataElsewhere({ app, nodes }) {
      const container = containerName(app, { path: nodes[0]!.path, index: 0 });
      return {
        where: `in the volume ${dataVolume(app)}`,
        next: `Copy it, docker cp ${container}:${DATA_FOLDER} copy, and look at the copy with ` +
          "--storage file:$PWD/copy/data.db",
      };
    },
    async probe() {
      const { Platform, Version, Os, Arch } = await engine().json("GET", "/version", {
        patience: PROBE_PATIENCE,
      });
      return `${
        Platform?.Name || "Docker"
      } ${Version} answers at ${engine().address.shown} (${Os}/${Arch})`;
    },
    purge: (app, options) => purgeApp(engine(), app, options),
  };
}
