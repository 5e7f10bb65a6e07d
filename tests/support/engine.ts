/**
 * The container engine of this machine, for tests that need one.
 *
 * @module
 */

import { type Engine, engineAt } from "../../drivers/docker/engine.ts";
import { engineAddress } from "../../drivers/docker/engine_address.ts";
import { LABELS, withLabels } from "../../drivers/docker/names.ts";
import type { Need } from "./needs.ts";

/** An environment variable of the tests' own. */
export const env = (name: string): string | undefined => Deno.env.get(name) || undefined;

/** The engine; whether it answers is another question. */
export function testEngine(): Engine {
  return engineAt(engineAddress(env));
}

/**
 * A container engine that answers. Not every machine may run one, not even in CI, where `.ci/run` says so.
 */
export async function needsEngine(): Promise<Need> {
  try {
    await testEngine().json("GET", "/version");
    return {};
  } catch (error) {
    const why = (error as Error).message;
    return { absent: `no container engine: ${why}`, elsewhere: true };
  }
}

/** Everything in the engine that belongs to an app, `network mp-shop-1`, `container shop.one.0`. */
export async function leftInEngine(app: string): Promise<string[]> {
  const engine = testEngine();
  const filters = withLabels({ [LABELS.app]: app });
  const get = (path: string, query = {}) =>
    engine.json("GET", path, { query: { filters, ...query } });
  const [containers, networks, volumes, images] = await Promise.all([
    get("/containers/json", { all: true }) as Promise<{ Names: string[]; State: string }[]>,
    get("/networks") as Promise<{ Name: string }[]>,
    get("/volumes") as Promise<{ Volumes: { Name: string }[] | null }>,
    get("/images/json") as Promise<{ RepoTags: string[] | null }[]>,
  ]);
  return [
    ...containers.map(({ Names, State }) => `container ${Names.join()} (${State})`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...(volumes.Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ...images.map(({ RepoTags }) => `image ${RepoTags?.join()}`),
  ];
}
