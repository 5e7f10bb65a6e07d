/**
 * Where a guarded service asks callers from outside who they are.
 *
 * @module
 */

import { type Guard, guardOf, type Identify } from "../auth/guard.ts";
import { challengeOf } from "../auth/realm.ts";
import { MpError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import type { Plan } from "../plan/plan.ts";
import type { CallMeta } from "../rpc/rpc_service.ts";
import { isPattern, type Topology } from "../topology/topology.ts";
import type { Placed } from "../topology/walk.ts";
import { CallContext } from "./call_context.ts";
import type { Responder } from "./responder.ts";

/** Told of errors that the user's code threw. */
export type OnFault = (error: unknown, context: CallContext) => void;

/** The gate of one service. */
export class Gate {
  #service: string;
  #scheme: Guard["scheme"];
  #challenge: string;
  #identify: Identify;
  #onFault: OnFault;

  /** @throws {MpError} `topology_invalid` when the users cannot be read. */
  constructor(guard: Guard, service: string, onFault: OnFault) {
    this.#service = service;
    this.#scheme = guard.scheme;
    this.#challenge = challengeOf(guard, service);
    this.#identify = guard.open();
    this.#onFault = onFault;
  }

  /**
   * Answers a call when it is known who calls.
   *
   * @throws {MpError} `unauthorized` when that is not known, and why never shows.
   */
  admit(
    meta: CallMeta,
    context: CallContext,
    answer: () => Promise<Payload> | Payload,
  ): Promise<Payload> | Payload {
    const { authorization } = meta;
    const { replica, remaining: timeout, requestId, trace } = context;
    // users may be looked up in other services and in scopes, but are no part of the handler's transaction
    const check = new CallContext({ service: this.#service, replica, timeout, requestId, trace });
    check.effect = "the check of who calls";
    const admitted = (user: string | undefined) => {
      check.end();
      if (user === undefined) {
        meta.challenge = this.#challenge;
        throw this.#refusal();
      }
      if (context.remaining <= 0) throw late(this.#service);
      context.user = user;
      return answer();
    };
    const onFault = (error: unknown) => this.#onFault(error, check);
    const user = check.run(() => this.#identify(authorization, onFault), undefined);
    if (!(user instanceof Promise)) return admitted(user);
    return user.catch((error) => {
      if (error instanceof MpError) throw error;
      onFault(error);
      return undefined;
    }).then(admitted);
  }

  #refusal(): MpError {
    const what = this.#scheme === "Basic" ? "name and password are" : "token is";
    return new MpError(
      "unauthorized",
      `Cannot call "${this.#service}": the caller's ${what} missing or wrong`,
      { service: this.#service },
    );
  }
}

/**
 * The gates that the doors of a replica lead through, by service.
 *
 * @param path Of the replica.
 * @throws {MpError} `topology_invalid` when the users of one cannot be read.
 */
export function gatesOf(
  path: string,
  { services }: Topology,
  { doors, nodes }: Plan,
  onFault: OnFault,
): ReadonlyMap<string, Gate> {
  const behind = new Set(
    doors.filter(({ node }) => node === path).flatMap(({ methods }) => Object.values(methods)),
  );
  const gates = new Map<string, Gate>();
  for (const { path, service } of nodes) {
    const definition = behind.has(path) ? services.get(service) : undefined;
    const guard = definition && guardOf(definition.target);
    if (guard && !gates.has(service)) gates.set(service, new Gate(guard, service, onFault));
  }
  return gates;
}

/**
 * How calls from within the deployment are answered: by a guarded service only when they are made for a
 * user, whom another gate has let in. Parts are called by the service's own router alone.
 */
export function fromWithin(
  respond: Responder,
  { path, service }: Placed,
  topology: Topology,
): Responder {
  const { target } = topology.services.get(service)!;
  const root = isPattern(target) ? `${service}.${target.router.name}` : service;
  if (guardOf(target) === undefined || path !== root) return respond;
  return (payload, context) => {
    if (context.user !== undefined) return respond(payload, context);
    const { replica } = context;
    throw new MpError("unauthorized", `Cannot call "${service}": it is called for no user`, {
      service,
      replica: replica.name,
      reason: "no user",
    });
  };
}

function late(service: string): MpError {
  return new MpError(
    "deadline_exceeded",
    `Cannot call "${service}": to tell who calls took all its time`,
    { service, reason: "timed out" },
  );
}
