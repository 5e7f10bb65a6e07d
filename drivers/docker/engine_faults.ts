/**
 * What an engine refuses, in words that help.
 *
 * @module
 */

import { messageOf, MpError } from "../../runtime/errors.ts";
import { portInUse } from "./assign.ts";
import { EngineError } from "./engine.ts";
import type { ContainerSpec } from "./manifest.ts";

/** Why a container could not be created or started. */
export function containerFault(spec: ContainerSpec, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const message = messageOf(error);
  const taken = spec.ports.find(({ port }) => message.includes(`:${port}`)) ?? spec.ports[0];
  if (
    taken &&
    /port is already allocated|address already in use|ports are not available|bind:/i.test(message)
  ) {
    return portInUse(taken.host, taken.port);
  }
  const replica = `${spec.path}.${spec.index}`;
  if (error.status === 409 && /already in use|name .* in use/i.test(message)) {
    return new MpError(
      "launch_failed",
      `Cannot create container "${spec.name}": another one has that name, and does not belong to this app`,
      {
        replica,
        cause: error,
        next: "Rename or remove that one, or choose another app with --name",
      },
    );
  }
  return engineFault(`start ${replica}`, error, replica);
}

/** An error of the engine for something that was to be done. */
export function engineFault(what: string, error: unknown, replica?: string): unknown {
  if (!(error instanceof EngineError)) return error;
  const message = messageOf(error);
  return new MpError("launch_failed", `Cannot ${what}: the engine says: ${message}`, {
    replica,
    cause: error,
    next: /no space left/i.test(message)
      ? "Make room for the engine, such as with docker system prune"
      : undefined,
  });
}
