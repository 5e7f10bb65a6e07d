/**
 * What surrounds a script that is run by `deno run`, or imported, rather than by `mp run`.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { isBundled, ownFolder, programModule } from "../own_files.ts";
import type { ScriptHost } from "./api.ts";
import { describeTopology } from "./describe.ts";
import { noScopes } from "./scopes.ts";

/** The host of the API when the script is the main module or is imported by another. */
export function directHost(): ScriptHost {
  return {
    call(service) {
      return Promise.reject(
        new MpError("replica_unreachable", `Cannot call "${service}": nothing is deployed here`, {
          reason: "absent",
          next: "Run the script with mp run, and call from a handler",
        }),
      );
    },
    current: () => undefined,
    serve() {
      if (isCalledByMainModule()) queueMicrotask(runCommandLine);
    },
    print(topology) {
      console.log(JSON.stringify(describeTopology(topology), null, 2));
    },
    scopes: noScopes(
      () =>
        new MpError("unsupported", "Cannot use scopes: nothing is deployed here", {
          next: "Run the script with mp run",
        }),
    ),
  };
}

/** Whether the script that called into the API is the program that `deno run` was given. */
function isCalledByMainModule(): boolean {
  const main = globalThis.Deno?.mainModule;
  // the blocks of a document that are tested are main modules too, of files that are not there
  if (main === undefined || !isFile(main)) return false;
  // for deno test and deno bench, whose functions do something, each file is the main module
  if (Deno.test.length > 0) return false;
  const own = isBundled
    ? [`${ownFolder.href}main/`]
    : [`${ownFolder.href}runtime/`, `${ownFolder.href}mod.ts`];
  // the first frame outside of this package, or of its examples, is the caller's
  const frames = new Error().stack?.split("\n").slice(1) ?? [];
  const caller = frames.find((frame) => !own.some((place) => frame.includes(place)));
  return caller !== undefined && caller.includes(main);
}

function isFile(url: string): boolean {
  if (!url.startsWith("file:")) return false;
  try {
    return Deno.statSync(new URL(url)).isFile;
  } catch {
    return false;
  }
}

/** Hands over to the program, which loads the script anew; the import is computed, for the program is no part of the API. */
async function runCommandLine(): Promise<void> {
  const { direct } = await import(programModule.href);
  Deno.exit(await direct(Deno.mainModule, Deno.args));
}
