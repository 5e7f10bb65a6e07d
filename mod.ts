/**
 * `mp`: the architecture of a distributed system and its implementation in one script.
 *
 * ```ts
 * import * as mp from "@metaparticle/mp";
 *
 * const leaf = () => Array.from({ length: 100 }, () => Math.random());
 * const gather = (parts: number[][]) => parts.flat().length;
 *
 * mp.service("count", mp.scatter({ replicas: 10, leaf, gather, expose: true }));
 * mp.serve();
 * ```
 *
 * `mp run` launches such a topology script: every part of a pattern as a set of replicas, each with an
 * endpoint of its own. When the script is only imported, by a test say, nothing is launched.
 *
 * @module
 */

import { type ScriptApi, scriptApi } from "./runtime/topology/api.ts";
import type { ImplicitScopes, Scoped } from "./runtime/topology/scopes.ts";
import { directHost } from "./runtime/topology/direct_host.ts";

const api: ScriptApi = scriptApi(directHost()).api;

/**
 * Makes a service: a named, callable thing.
 *
 * @param name A DNS label, unique in the topology; it is the method by which callers reach the service.
 * @param target A handler, or a pattern such as {@linkcode scatter}.
 * @param options Exposure, replicas of the router or handler, timeout, environment, resources.
 * @returns The service, to be exposed and to be called from other services' handlers.
 * @throws {MpError} `topology_invalid` for a bad or clashing name.
 *
 * @example
 * ```ts
 * import * as mp from "@metaparticle/mp";
 *
 * const hello = mp.service("hello", (name: string) => `hello, ${name}`);
 * hello.expose = true;
 * ```
 */
export const service: ScriptApi["service"] = api.service;

/**
 * Names the app. Without it, the app has the script's file name, or its folder's when the file is
 * `topology.ts`, `main.ts` or `index.ts`.
 *
 * @param name A DNS label.
 */
export const app: ScriptApi["app"] = api.app;

/**
 * Takes a file or a folder beside the script along to wherever replicas run, for them to read: containers get
 * their own copy of it.
 *
 * @param path Its absolute path, below the folder of the script.
 * @returns The path.
 * @throws {MpError} `topology_invalid` when it is not there, or elsewhere.
 *
 * @example
 * ```ts ignore
 * const words = mp.files(import.meta.dirname + "/words.txt");
 *
 * mp.service("count", async () => (await Deno.readTextFile(words)).length);
 * ```
 */
export const files: ScriptApi["files"] = api.files;

/**
 * Ends a topology script.
 *
 * Under `mp run` it marks the end: no service may be made after it. Under `deno run -A topology.ts` it is
 * the command line: without arguments it runs the topology, and `plan`, `print` and `delete` do as they do
 * in `mp`. When the script is only imported it does nothing.
 */
export const serve: ScriptApi["serve"] = api.serve;

/**
 * Lets only users with a password call a service (HTTP Basic authentication). The handlers find the user in
 * `context.user`, and what the user keeps in `mp.scope.user`.
 *
 * Without `users`, they are those of the htpasswd file that `mp run --auth-users FILE` or `MP_AUTH_USERS`
 * names; where nothing names one, the script does not load.
 *
 * @param target What the service is made of: a handler or a pattern.
 * @param options Who may call: passwords by name, the path of an htpasswd file, or a function.
 * @returns A target of the same type.
 * @throws {MpError} `topology_invalid` when nobody may call, or the file cannot be read.
 *
 * @example
 * ```ts
 * import * as mp from "@metaparticle/mp";
 *
 * const whoAmI = (_request: unknown, { user }: mp.Context) => user;
 * const users = { ada: "analytical engine" };
 * mp.service("who-am-i", mp.basicAuth(whoAmI, { users }), { expose: true });
 * ```
 */
export const basicAuth: ScriptApi["basicAuth"] = api.basicAuth;

/**
 * The types of a script's scopes, by name; a scope that is not declared holds any JSON.
 *
 * @example
 * ```ts ignore
 * declare module "@metaparticle/mp" {
 *   interface Scopes {
 *     global: { requests?: number };
 *   }
 * }
 * ```
 */
// deno-lint-ignore no-empty-interface -- scripts add to it
export interface Scopes {}

/**
 * Runs a transaction over one or more scopes: the body reads and changes them, and all of its changes are
 * stored together or not at all. It may run more than once, so it should do nothing else.
 *
 * @param name The scope's name, or several.
 * @param body Gets the scopes.
 * @returns What the body returned.
 */
export const scoped: Scoped<Scopes> = api.scoped as unknown as Scoped<Scopes>;

/**
 * Scopes by name, in a handler: one that touches them is a transaction as a whole. `mp.scope.user` is the
 * caller's own.
 */
export const scope: ImplicitScopes<Scopes> = api.scope as unknown as ImplicitScopes<Scopes>;

/**
 * Chooses where scopes live, unless the command line or the environment does.
 *
 * @param name `file`, `redis`, `mysql` or `memory`.
 * @param config Its options.
 */
export const setStorage: ScriptApi["setStorage"] = api.setStorage;

/**
 * Closes the storage, in a script that is a program: without services it ends when nothing is left to do, and a
 * connection to a storage is something. In handlers it does nothing, for a replica's storage ends with it.
 */
export const shutdown: ScriptApi["shutdown"] = api.shutdown;

/** Prints the services and their subservices as JSON. */
export const print: ScriptApi["print"] = api.print;

/**
 * The call that is being answered, for code that a handler calls without handing its context on.
 *
 * @throws {MpError} When no call is being answered.
 */
export const current: ScriptApi["current"] = api.current;

export {
  type Gather,
  type Gathered,
  type MissingPart,
  scatter,
  type ScatterOptions,
  type ScatterTarget,
} from "./patterns/scatter.ts";
export {
  shard,
  type ShardKey,
  shardOf,
  type ShardOptions,
  type ShardTarget,
} from "./patterns/shard.ts";
export type { BasicAuth, BasicAuthOptions, Users } from "./runtime/auth/basic_auth.ts";
export {
  bearerAuth,
  type BearerAuthOptions,
  type VerifyToken,
} from "./runtime/auth/bearer_auth.ts";
export { spread, type SpreadOptions, type SpreadTarget } from "./patterns/spread.ts";
export type { SpreadStrategy } from "./runtime/topology/pick_replica.ts";
export type {
  Candidates,
  Handler,
  Hedge,
  NoParts,
  Part,
  PartClient,
  Parts,
  PartState,
  PatternTarget,
  PickReplica,
  Resources,
  RoutedCall,
  Target,
  TargetOptions,
} from "./runtime/topology/target.ts";
export type {
  CallArguments,
  Service,
  ServiceCallOptions,
  Subservice,
  Subservices,
} from "./runtime/topology/service.ts";
export type { Context, ReplicaInfo } from "./runtime/topology/context.ts";
export type { AnyScope, ImplicitScopes, Scoped, ScopeOf } from "./runtime/topology/scopes.ts";
export type { DoorType, Expose, ExposeOptions } from "./runtime/topology/target.ts";
export { type Code, type ErrorData, MpError } from "./runtime/errors.ts";
export type { Payload } from "./runtime/payload.ts";
