/**
 * The network and the volumes of a tree of replicas.
 *
 * @module
 */

import { type Engine, EngineError } from "./engine.ts";
import { unlessGone } from "./containers.ts";
import { engineFault } from "./engine_faults.ts";
import type { DockerManifest } from "./manifest.ts";
import { withLabels } from "./names.ts";

/** Makes the network and the volumes of a manifest. @throws {MpError} `launch_failed`. */
export async function makeTreeThings(
  engine: Engine,
  { network, runVolume, dataVolume, app }: DockerManifest,
  signal?: AbortSignal,
): Promise<void> {
  const volume = ({ name, labels }: DockerManifest["runVolume"]) =>
    engine.json("POST", "/volumes/create", { body: { Name: name, Labels: labels }, signal });
  try {
    await Promise.all([
      engine.json("POST", "/networks/create", {
        body: {
          Name: network.name,
          Labels: network.labels,
          Driver: "bridge",
          CheckDuplicate: true,
        },
        signal,
      }),
      volume(runVolume),
      ...(dataVolume ? [volume(dataVolume)] : []),
    ]);
  } catch (error) {
    throw engineFault(`make the network of "${app}"`, error);
  }
}

/** Removes the network and the volume of a tree, by their labels. */
export async function removeTreeThings(
  engine: Engine,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const filters = withLabels(labels);
  const networks = await engine.json("GET", "/networks", { query: { filters } }) as {
    Id: string;
  }[];
  for (const { Id } of networks) await unlessGone(engine.json("DELETE", `/networks/${Id}`));
  const { Volumes } = await engine.json("GET", "/volumes", { query: { filters } }) as {
    Volumes: { Name: string }[] | null;
  };
  for (const { Name } of Volumes ?? []) await removeVolume(engine, Name);
}

/** Removes a volume. @returns Whether it was there. */
export async function removeVolume(engine: Engine, name: string): Promise<boolean> {
  try {
    await engine.json("DELETE", `/volumes/${name}`);
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false;
    throw engineFault(`remove the volume ${name}`, error);
  }
}
