/**
 * The network of a deployment, and the volumes of its trees of replicas.
 *
 * @module
 */

import { type Engine, EngineError } from "./engine.ts";
import { unlessGone } from "./containers.ts";
import { engineFault } from "./engine_faults.ts";
import type { DockerManifest } from "./manifest.ts";
import { type Labelled, labelled, withLabels } from "./names.ts";

/** Makes the network and the volumes of a manifest; the network may be there already. @throws {MpError} `launch_failed`. */
export async function makeTreeThings(
  engine: Engine,
  { network, runVolume, dataVolume, app, tree }: DockerManifest,
  signal?: AbortSignal,
): Promise<void> {
  const volume = ({ name, labels }: DockerManifest["runVolume"]) =>
    engine.json("POST", "/volumes/create", { body: { Name: name, Labels: labels }, signal });
  try {
    await Promise.all([
      ...(tree > 1 ? [] : [makeNetwork(engine, network, signal)]),
      volume(runVolume),
      ...(dataVolume ? [volume(dataVolume)] : []),
    ]);
  } catch (error) {
    throw engineFault(`make the network of "${app}"`, error);
  }
}

function makeNetwork(
  engine: Engine,
  { name, labels }: DockerManifest["network"],
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const body = { Name: name, Labels: labels, Driver: "bridge", CheckDuplicate: true };
  return engine.json("POST", "/networks/create", { body, signal });
}

/** Removes networks by their labels. */
export async function removeNetworks(engine: Engine, labels: Wanted): Promise<void> {
  for (const { Id } of await networksWith(engine, labels)) {
    await unlessGone(engine.json("DELETE", `/networks/${Id}`));
  }
}

/** Removes volumes by their labels. */
export async function removeVolumes(engine: Engine, labels: Wanted): Promise<void> {
  for (const { Name } of await volumesWith(engine, labels)) await removeVolume(engine, Name);
}

type Wanted = Readonly<Record<string, string | undefined>>;

/** A network as an engine lists it. */
export interface ListedNetwork extends Labelled {
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** A volume as an engine lists it. */
export interface ListedVolume extends Labelled {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** The networks with labels; without a value, whatever it is. */
export async function networksWith(
  engine: Engine,
  labels: Wanted,
  signal?: AbortSignal,
): Promise<ListedNetwork[]> {
  const query = { filters: withLabels(labels) };
  return labelled<ListedNetwork>(await engine.json("GET", "/networks", { query, signal }), labels);
}

/** The volumes with labels; without a value, whatever it is. */
export async function volumesWith(
  engine: Engine,
  labels: Wanted,
  signal?: AbortSignal,
): Promise<ListedVolume[]> {
  const query = { filters: withLabels(labels) };
  const { Volumes } = await engine.json("GET", "/volumes", { query, signal });
  return labelled<ListedVolume>(Volumes, labels);
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
