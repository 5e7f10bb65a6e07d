/**
 * The plan of a script that is loaded in this process.
 *
 * @module
 */

import { dirname } from "node:path";
import { instanceGlobals } from "../drivers/memory/instance_globals.ts";
import { MpError } from "../runtime/errors.ts";
import { makePlan } from "../runtime/plan/make_plan.ts";
import type { Plan } from "../runtime/plan/plan.ts";
import { appName } from "../runtime/script/app_name.ts";
import { evaluate } from "../runtime/script/instance.ts";
import { showPath } from "../runtime/script/show_path.ts";
import { noScopes } from "../runtime/topology/scopes.ts";
import type { Widths } from "../runtime/topology/walk.ts";
import type { PreparedScript } from "./prepared_script.ts";

/** Options of {@linkcode planScript}. */
export interface PlanScriptOptions {
  /** The scripting API's functions that are the same for every evaluation. */
  readonly api: Readonly<Record<string, unknown>>;
  readonly env: Record<string, string>;
  readonly widths?: Widths;
  /** The app's name. */
  readonly name?: string;
}

/** How long the top level of a script may take, in milliseconds. */
const TIME_LIMIT = 10_000;

/** Evaluates a script and plans it. @throws Whatever the script throws; {MpError} `topology_invalid`, `script_timeout`. */
export async function planScript(
  { bundle: { script }, loaded: { form, hash } }: PreparedScript,
  { api, env, widths, name }: PlanScriptOptions,
): Promise<Plan> {
  const loading = (what: string) =>
    new MpError("unsupported", `Cannot ${what}: the script is being loaded`, {
      next: "Do it in handlers; every replica evaluates the top level of the script",
    });
  const failed = Promise.withResolvers<never>();
  const { globals, builtin, end } = instanceGlobals({
    env: { ...env },
    onOutput() {},
    onExit: (code) => failed.reject(ended(script, code)),
    onUncaught: failed.reject,
  });
  const timer = setTimeout(() => failed.reject(tookTooLong(script)), TIME_LIMIT);
  try {
    const evaluated = evaluate({
      form,
      api,
      script,
      globals,
      builtin,
      host: {
        call: (service) => Promise.reject(loading(`call "${service}"`)),
        current: () => undefined,
        serve() {},
        print() {},
        scopes: noScopes(() => loading("use scopes")),
        auth: { folder: dirname(script), env, eager: true },
      },
    });
    const topology = await Promise.race([evaluated, failed.promise]);
    if (topology.services.size === 0) throw noService(script);
    const app = appName({ flag: name, declared: topology.app, script });
    return makePlan(topology, { app, bundle: hash, widths });
  } finally {
    clearTimeout(timer);
    end();
  }
}

function ended(script: string, code: number): MpError {
  return new MpError(
    "script_failed",
    `Cannot load "${showPath(script)}": it ended its process with ${code}`,
    { next: "End the process in a handler, or not at all" },
  );
}

function tookTooLong(script: string): MpError {
  return new MpError(
    "script_timeout",
    `Cannot load "${showPath(script)}": its top level takes longer than ${TIME_LIMIT / 1000} s`,
    { next: "Do what takes long in handlers" },
  );
}

function noService(script: string): MpError {
  return new MpError(
    "topology_invalid",
    `Cannot start "${showPath(script)}": it makes no service`,
    { next: "Make one with mp.service(name, target)" },
  );
}
