/**
 * Guards: who may call a service, as a part of what the service is made of.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { AnyTarget, Handler } from "../topology/target.ts";

/**
 * Tells who calls.
 *
 * @param authorization The header `Authorization` as it came, not trusted.
 * @param onFault Told of what the script's own function threw, which no caller may learn.
 * @returns The user; `undefined` whenever that is in doubt, whatever the reason.
 * @throws {MpError} `overloaded`.
 */
export type Identify = (
  authorization: string | undefined,
  onFault: (error: unknown) => void,
) => string | undefined | Promise<string | undefined>;

/** How callers of a service say who they are, and who is let in. */
export interface Guard {
  /** The API's function that made it, `mp.basicAuth()`, for messages. */
  readonly name: string;
  /** The scheme of the header `Authorization`. */
  readonly scheme: "Basic" | "Bearer";
  /** Whether who may call is told by `--auth-users`, and not by the script. */
  readonly usersFromOutside?: boolean;
  /** What callers are told they need the credentials for. Default: the service's name. */
  readonly realm: string | undefined;
  /** Makes ready to tell who calls. @throws {MpError} `topology_invalid` when the users cannot be read. */
  open(): Identify;
}

// A member of the target rather than an entry of a map: a copy of the target keeps it.
const GUARD: unique symbol = Symbol("guard");

/**
 * Puts a guard before a target.
 *
 * @returns A target of the same kind; the one given is left as it is.
 * @throws {MpError} `topology_invalid` when it has a guard already.
 */
export function withGuard<T extends AnyTarget>(target: T, guard: Guard): T {
  const other = guardOf(target);
  if (other) {
    throw new MpError(
      "topology_invalid",
      `Cannot put the target into ${guard.name}: it is in ${other.name} already`,
      { next: "Use one of them; a function as its users can accept whom the other would" },
    );
  }
  if (typeof target === "function") {
    const handler: Handler<unknown, unknown> = (request, context) => target(request, context);
    return Object.freeze(Object.assign(handler, { [GUARD]: guard })) as AnyTarget as T;
  }
  const copy = Object.assign(Object.create(Object.getPrototypeOf(target)), target);
  return Object.freeze(Object.assign(copy, { [GUARD]: guard }));
}

/** The guard before a target, if there is one. */
export function guardOf(target: AnyTarget): Guard | undefined {
  return (target as { readonly [GUARD]?: Guard })[GUARD];
}

/**
 * Checks that no part has a guard of its own: callers from outside are asked at the door, for the
 * service as a whole, and a part is called by its router alone.
 *
 * @param name The service's name, with which the paths of its parts begin.
 * @throws {MpError} `topology_invalid`, naming the part.
 */
export function checkGuards(name: string, target: AnyTarget): void {
  if (typeof target === "function") return;
  for (const [part, { target: under }] of Object.entries(target.parts)) {
    const path = `${name}.${part}`;
    const guard = guardOf(under);
    if (guard) {
      throw new MpError(
        "topology_invalid",
        `Cannot guard "${path}": it is a part, and only a whole service can be in ${guard.name}`,
        { next: `Put the target of service "${path.split(".")[0]}" into ${guard.name}` },
      );
    }
    checkGuards(path, under);
  }
}
