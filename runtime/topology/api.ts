/**
 * The scripting API, bound to one evaluation of a script.
 *
 * `mod.ts` binds it for scripts that are run or imported directly; a replica binds it anew for every
 * evaluation of the bundle.
 *
 * @module
 */

import type { AuthSources } from "../auth/auth_sources.ts";
import { type BasicAuth, basicAuthOf } from "../auth/basic_auth.ts";
import { MpError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import type { Context } from "./context.ts";
import { checkFiles } from "./files.ts";
import { isDnsLabel } from "./names.ts";
import {
  explicitScopes,
  type ImplicitScopes,
  implicitScopes,
  type Scoped,
  type ScopesHost,
} from "./scopes.ts";
import { makeService, type Service, type ServiceCallOptions } from "./service.ts";
import type { Handler, NoParts, Parts, PatternTarget, TargetOptions } from "./target.ts";
import { Topology } from "./topology.ts";

/** What surrounds one evaluation of a script. */
export interface ScriptHost {
  /** Calls a service of the same deployment. */
  call(service: string, payload: Payload, options: ServiceCallOptions): Promise<Payload>;
  /** The call that is being answered, if any. */
  current(): Context | undefined;
  /** Called by `mp.serve()`. */
  serve(topology: Topology): void;
  /** Called by `mp.print()`. */
  print(topology: Topology): void;
  /** What scopes rest on. */
  readonly scopes: ScopesHost;
  /** Told before the script does what cannot be undone. @throws Where it must not. */
  readonly effect?: (effect: string) => void;
  /** Where users come from; absent where nothing is deployed. */
  readonly auth?: AuthSources;
}

/** The functions of the API that belong to one evaluation of a script. */
export interface ScriptApi {
  service: MakeService;
  app(name: string): void;
  files(path: string | URL): string;
  serve(): void;
  print(): void;
  current(): Context;
  /** Typed by what the script declares, in `mod.ts`. */
  // deno-lint-ignore no-explicit-any -- see above
  scoped: Scoped<any>;
  // deno-lint-ignore no-explicit-any -- see above
  scope: ImplicitScopes<any>;
  setStorage(name: string, config?: unknown): void;
  shutdown(): void;
  basicAuth: BasicAuth;
}

/** `mp.service()`. */
export interface MakeService {
  <Q, R, Router extends string, Children extends Parts>(
    name: string,
    target: PatternTarget<Q, R, Router, Children>,
    options?: TargetOptions,
  ): Service<Q, R, Children & { readonly [Name in Router]: NoParts }>;
  <Q, R>(name: string, target: Handler<Q, R>, options?: TargetOptions): Service<Q, R>;
}

/** Binds the API to a topology of its own and to what surrounds it. */
export function scriptApi(host: ScriptHost): { api: ScriptApi; topology: Topology } {
  const topology = new Topology();
  const api: ScriptApi = {
    service:
      ((name: string, target: Handler<unknown, unknown>, options: TargetOptions = {}) =>
        makeService(topology.add(name, target, options), host.call)) as MakeService,
    app(name) {
      if (typeof name !== "string" || !isDnsLabel(name)) {
        throw new MpError(
          "topology_invalid",
          `Cannot name the app ${JSON.stringify(name)}: the name is not a DNS label`,
          { next: "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or a digit" },
        );
      }
      topology.app = name;
    },
    files(path) {
      const absolute = checkFiles(path, host.auth);
      topology.files.add(absolute);
      return absolute;
    },
    serve() {
      topology.end();
      host.serve(topology);
    },
    print() {
      host.print(topology);
    },
    scoped: explicitScopes(host.scopes),
    scope: implicitScopes(host.scopes),
    setStorage: (name, config) => host.scopes.setStorage(name, config),
    shutdown: () => host.scopes.shutdown(),
    basicAuth: basicAuthOf(host.auth),
    current() {
      const context = host.current();
      if (context) return context;
      throw new MpError(
        "internal_error",
        "Cannot tell the current call: no call is being answered here",
        {
          next: "Call mp.current() from a handler, or from what a handler calls",
        },
      );
    },
  };
  return { api, topology };
}
