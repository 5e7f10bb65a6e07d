/**
 * The topology: what evaluating a script yields.
 *
 * @module
 */

import { checkGuards } from "../auth/guard.ts";
import { MpError } from "../errors.ts";
import { checkHedges, checkOptions } from "./check_options.ts";
import { checkReplicas, checkServiceName } from "./names.ts";
import type { AnyTarget, Expose, PatternTarget, TargetOptions } from "./target.ts";

/** A named service with its functions. */
export interface ServiceDefinition {
  readonly name: string;
  readonly target: AnyTarget;
  readonly options: TargetOptions;
  /** Exposure by path; what a script sets after it has made the service. */
  readonly exposed: Map<string, Expose>;
}

/** Named services, with their functions. */
export class Topology {
  /** The name given by `mp.app()`. */
  app: string | undefined;
  readonly services = new Map<string, ServiceDefinition>();
  /** Files and folders that replicas read, by `mp.files()`; absolute. */
  readonly files = new Set<string>();
  #ended = false;

  /** Adds a service. @throws {MpError} `topology_invalid` for a bad or clashing name. */
  add(name: string, target: AnyTarget, options: TargetOptions): ServiceDefinition {
    checkServiceName(name);
    if (this.#ended) {
      throw new MpError(
        "topology_invalid",
        `Cannot make service "${name}": mp.serve() was called before`,
        {
          next: "Make every service before mp.serve(), which ends the script",
        },
      );
    }
    if (this.services.has(name)) {
      throw new MpError("topology_invalid", `Cannot make service "${name}": the name is taken`, {
        next: "Give each service a name of its own",
      });
    }
    checkTarget(`service "${name}"`, target);
    checkGuards(name, target);
    checkOptions(`service "${name}"`, options);
    if (options.replicas !== undefined) checkReplicas(options.replicas, `service "${name}"`);
    checkHedges(name, target, options);
    const definition = { name, target, options, exposed: new Map<string, Expose>() };
    this.services.set(name, definition);
    return definition;
  }

  /** Marks the end of the script. */
  end(): void {
    this.#ended = true;
  }
}

/** Whether a target is made of a pattern. */
export function isPattern(target: AnyTarget): target is Extract<AnyTarget, PatternTarget> {
  return typeof target !== "function";
}

/** Checks what a service or a part is made of. @throws {TypeError} Unless it is a function or a pattern. */
export function checkTarget(what: string, target: unknown, role = "the target"): void {
  if (typeof target === "function") return;
  if (typeof target === "object" && target !== null && "route" in target && "parts" in target) {
    return;
  }
  throw new TypeError(
    `Cannot make ${what}: ${role} is ${
      target === null ? "null" : typeof target
    }, not a function or a pattern such as mp.scatter(…)`,
  );
}
