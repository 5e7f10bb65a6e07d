/**
 * The image of replicas without any script in it, for platforms that bring the script along.
 *
 * @module
 */

import type { DriverSettings } from "../../runtime/launch/driver.ts";
import { REPLICA_ARGUMENT } from "../../runtime/launch/replica_arguments.ts";
import { engineAt } from "./engine.ts";
import { engineAddress } from "./engine_address.ts";
import { build, enginePayload, type ImageOptions, push } from "./image.ts";
import { LABELS } from "./names.ts";

/** The label that says what is in an image. */
const DIGEST = "io.metaparticle.digest";

/** What image is made. */
export interface GenericImage extends ImageOptions {
  /** Its name, with the registry that it is pushed to. */
  readonly tag: string;
  readonly settings: DriverSettings;
  readonly version: string;
  /** Whether it is pushed. */
  readonly push: boolean;
  /** Reads a variable of the environment. */
  env(name: string): string | undefined;
}

/**
 * Makes the image with an engine of this machine, unless that has it already. Its entry point is `mp`.
 *
 * @throws {MpError} `engine_unavailable`, `unsupported`, `launch_failed`.
 */
export async function makeGenericImage(options: GenericImage): Promise<void> {
  const { tag, settings, version, env, signal, tell } = options;
  const engine = engineAt(engineAddress(env));
  const payload = await enginePayload(engine, { settings, version }, signal);
  const found = await engine.json("GET", `/images/${tag}/json`, { signal }).catch(() => undefined);
  if (found?.Config?.Labels?.[DIGEST] !== payload.digest) {
    tell?.(`Building ${tag}, of ${payload.from ?? "what runs here"}`);
    const { command } = payload;
    await build(engine, {
      tag,
      from: payload.from ?? "scratch",
      layers: [payload.system, payload.half],
      labels: { [LABELS.kind]: "runtime", [LABELS.version]: version, [DIGEST]: payload.digest },
      // what runs replicas takes the argument from the platform
      entrypoint: command.at(-1) === REPLICA_ARGUMENT ? command.slice(0, -1) : command,
    }, { signal, tell });
  }
  if (options.push) await push(engine, tag, { signal, tell });
}
