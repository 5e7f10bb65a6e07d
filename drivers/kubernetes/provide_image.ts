/**
 * Sees to it that the nodes of a cluster find the image of pods: one that was named, one that is built and pushed,
 * or one that is built and loaded into a cluster on this machine.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import type { DriverSettings } from "../../runtime/launch/driver.ts";

/** What builds images. */
export interface ImageBuilder {
  /** Makes the image of that name, with `mp` as its entry point, and pushes it if asked. */
  make(tag: string, options: MakeImageOptions): Promise<void>;
}

/** How an image is made. */
export interface MakeImageOptions {
  readonly settings: DriverSettings;
  readonly version: string;
  readonly push: boolean;
  readonly signal?: AbortSignal;
}

/** What it is for. */
export interface ProvideImageOptions extends Omit<MakeImageOptions, "push"> {
  /** The name of the context. */
  readonly context: string;
  readonly builder: ImageBuilder | undefined;
}

/** The command that loads an image into a cluster on this machine; nothing for a cluster elsewhere. */
export function loadCommand(context: string, image: string): readonly string[] | undefined {
  const kind = /^kind-(.+)$/.exec(context)?.[1];
  if (kind) return ["kind", "load", "docker-image", image, "--name", kind];
  const k3d = /^k3d-(.+)$/.exec(context)?.[1];
  if (k3d) return ["k3d", "image", "import", image, "--cluster", k3d];
  if (context === "minikube") return ["minikube", "image", "load", image];
  if (/^k3s(-|$)/.test(context)) {
    return ["sh", "-c", 'docker save "$0" | k3s ctr images import -', image];
  }
  return undefined;
}

/** Provides an image. @throws {MpError} `usage` when there is no way to, `launch_failed`. */
export async function provideImage(image: string, options: ProvideImageOptions): Promise<void> {
  const { settings, version, context, builder, signal } = options;
  if (typeof settings.image === "string") return;
  const load = loadCommand(context, image);
  const push = typeof settings.registry === "string" || settings.push === true;
  if (!builder || (!push && !load)) {
    throw new MpError(
      "usage",
      `Cannot tell which image pods run: none is named, and nodes of context "${context}" cannot have one from here`,
      {
        next:
          "Name one that they can pull with --image, or a registry that this machine may push to with " +
          "--registry (DOCKER_REGISTRY)",
      },
    );
  }
  await builder.make(image, { settings, version, push, ...(signal && { signal }) });
  if (push || !load) return;
  const [command, ...args] = load;
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command!, { args, stdin: "null", ...(signal && { signal }) })
      .output();
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    throw cannotLoad(
      image,
      context,
      missing ? `there is no program "${command}"` : messageOf(error),
    );
  }
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).trim().split("\n").at(-1);
  throw cannotLoad(image, context, said || `${command} exited with ${output.code}`);
}

function cannotLoad(image: string, context: string, why: string): MpError {
  return new MpError(
    "launch_failed",
    `Cannot load ${image} into the cluster of "${context}": ${why}`,
    {
      next: "Load it by hand and name it with --image, or push it to a --registry",
    },
  );
}
