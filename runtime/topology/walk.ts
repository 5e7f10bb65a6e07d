/**
 * How a tree of targets unfolds into subservices.
 *
 * @module
 */

import { isPattern, type ServiceDefinition, type Topology } from "./topology.ts";
import type { AnyTarget, Expose, Hedge, PartState, Resources, TargetOptions } from "./target.ts";

/** One subservice with what it is made of. */
export interface Placed {
  readonly path: string;
  readonly service: string;
  /** What its replicas run: a handler, or a pattern whose router they host. */
  readonly target: AnyTarget;
  /** How many replicas each instance of the parent owns. */
  readonly width: number;
  /** How many replicas run in all. */
  readonly replicas: number;
  readonly state: PartState;
  /** What the script set, else the option of its pattern, or of the service for a service's root. */
  readonly expose: Expose;
  /** The parts that its replicas call, by name, with their paths. */
  readonly parts: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly idempotent: boolean;
  readonly retries: number;
  /** When its callers make a call on a second replica. */
  readonly hedge: Hedge | undefined;
  readonly maxConcurrent: number | undefined;
  readonly maxQueued: number | undefined;
  /** What is loaded before a handler begins. */
  readonly scopes: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly resources: Resources;
}

/** How a subservice is to be called. */
export type CallRules = Pick<Placed, "timeout" | "idempotent" | "retries" | "hedge">;

/** Numbers of replicas that differ from the script's: the width of a path. */
export type Widths = Readonly<Record<string, number>>;

const DEFAULTS: Inherited = {
  timeout: 30_000,
  idempotent: false,
  retries: 2,
  maxConcurrent: undefined,
  maxQueued: undefined,
  scopes: [],
  env: {},
  resources: {},
};

/**
 * Unfolds a topology, parents before children.
 *
 * Every instance of a part owns a private copy of what is under it, so counts multiply. A part whose
 * target is a pattern hosts that pattern's router, so the router adds no subservice there; only a
 * service's own router does.
 */
export function* walk(topology: Topology, widths: Widths = {}): Generator<Placed> {
  for (const definition of topology.services.values()) {
    const { name, target, options } = definition;
    const inherited = inherit(DEFAULTS, options);
    const path = isPattern(target) ? `${name}.${target.router.name}` : name;
    const declared = options.replicas ?? (isPattern(target) ? target.router.replicas : 1);
    const replicas = widthOf(widths, path) ?? declared;
    // the parts of a service's own pattern are siblings of its router, and shared by its replicas
    const place = { definition, path, prefix: name, width: replicas, replicas, instances: 1 };
    const hedge = options.hedge;
    yield* unfold(target, { ...place, state: "none", hedge, inherited }, widths);
  }
}

interface Place {
  readonly definition: ServiceDefinition;
  readonly path: string;
  /** What the paths of its parts begin with. */
  readonly prefix: string;
  readonly width: number;
  readonly replicas: number;
  /** How many instances own a copy of its parts. */
  readonly instances: number;
  readonly state: PartState;
  readonly hedge: Hedge | undefined;
  readonly inherited: Inherited;
}

type Inherited = Pick<
  Placed,
  | "timeout"
  | "idempotent"
  | "retries"
  | "maxConcurrent"
  | "maxQueued"
  | "scopes"
  | "env"
  | "resources"
>;

function* unfold(target: AnyTarget, place: Place, widths: Widths): Generator<Placed> {
  const { definition, path, prefix, width, replicas, state, hedge } = place;
  const inherited = isPattern(target) ? inherit(place.inherited, target.options) : place.inherited;
  const parts = isPattern(target) ? Object.entries(target.parts) : [];
  yield {
    path,
    service: definition.name,
    target,
    width,
    replicas,
    state,
    expose: exposure(definition, target, path),
    parts: Object.fromEntries(parts.map(([part]) => [part, `${prefix}.${part}`])),
    hedge,
    ...inherited,
  };
  for (const [name, part] of parts) {
    const partPath = `${prefix}.${name}`;
    const partWidth = widthOf(widths, partPath) ?? part.replicas;
    const total = place.instances * partWidth;
    yield* unfold(part.target, {
      definition,
      path: partPath,
      prefix: partPath,
      width: partWidth,
      replicas: total,
      instances: total,
      state: part.state,
      hedge: isPattern(target) && part.state === "none" ? target.options.hedge : undefined,
      inherited,
    }, widths);
  }
}

/** A service may be called `constructor`. */
function widthOf(widths: Widths, path: string): number | undefined {
  return Object.hasOwn(widths, path) ? widths[path] : undefined;
}

function exposure(definition: ServiceDefinition, target: AnyTarget, path: string): Expose {
  return definition.exposed.get(path) ??
    (target === definition.target ? definition.options.expose : undefined) ??
    (isPattern(target) ? target.options.expose : undefined) ?? false;
}

function inherit(from: Inherited, options: TargetOptions): Inherited {
  return {
    timeout: options.timeout ?? from.timeout,
    idempotent: options.idempotent ?? from.idempotent,
    retries: options.retries ?? from.retries,
    maxConcurrent: options.maxConcurrent ?? from.maxConcurrent,
    maxQueued: options.maxQueued ?? from.maxQueued,
    scopes: options.scopes ?? from.scopes,
    env: { ...from.env, ...options.env },
    resources: { ...from.resources, ...options.resources },
  };
}
