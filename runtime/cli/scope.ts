/** `mp scope`. @module */

import { scopeKey, userScopeKey } from "../storage/key.ts";
import type { Key } from "../storage/storage.ts";
import { optional, required } from "./argument.ts";
import { command, type CommandContext } from "./command.ts";
import { didYouMean } from "./near_name.ts";
import { text, usage } from "./option.ts";
import { SCOPE_ACTIONS, shownName } from "./scope_actions.ts";
import { openScopes } from "./scope_storage.ts";

const scopeArguments = {
  action: required({ shown: "ACTION", description: "list, get, set, delete or watch" }),
  name: optional({ shown: "NAME", description: "The scope; for list, the app or script" }),
  document: optional({ shown: "JSON", description: "What set stores: an object, or - for stdin" }),
};

const scopeOptions = {
  app: text({
    value: "APP|SCRIPT",
    candidates: "app",
    description: "Whose scopes; the deployment that runs here unless given",
  }),
  user: text({ value: "USER", description: "The scope mp.scope.user of a user; NAME is left out" }),
  storage: text({
    value: "URL",
    description: "Where scopes live: file, redis, mysql or a URL; as for mp run",
  }),
  ifVersion: text({
    value: "VERSION",
    description: "With set or delete: only if the scope has this version",
  }),
};

/** Looks at scopes and changes them. */
export const scope = command({
  description: [
    "Scopes of an app that runs are looked for where it keeps them. Of any other, the storage is chosen as for mp " +
    "run: by --storage, else by MP_STORAGE, REDIS_URL, REDIS_HOST or MYSQL_URL, else it is the file .mp/data.db " +
    "beside the script. What a script chooses with mp.setStorage() is known only while it runs.",
    "set and delete change a scope only if nobody else has changed it since they read it, or since the " +
    "version that --if-version names.",
  ],
  arguments: scopeArguments,
  options: scopeOptions,
  examples: [
    { line: "mp scope list", does: "The names of all scopes" },
    { line: "mp scope get global", does: "What a scope holds" },
    { line: `mp scope set global '{"requests": 0}'`, does: "Put a document in its place" },
    { line: "mp scope watch cart --app shop --json", does: "Every change, a line each" },
  ],
  async run(context) {
    const { arguments: { action }, options, output, program, signal } = context;
    const act = Object.hasOwn(SCOPE_ACTIONS, action) ? SCOPE_ACTIONS[action]! : undefined;
    if (act === undefined) {
      const names = Object.keys(SCOPE_ACTIONS);
      throw usage(`Cannot ${action} scopes: there is no such action`, {
        next: didYouMean(action, names, `Use ${names.join(", ")}`),
      });
    }
    const { name, document, app } = operandsOf(context);
    const key = keyOf(action, name, options.user);
    const whose = { ...options, app, mayMake: act.mayStore };
    await using storage = await openScopes(whose, { output, program });
    const task = { storage, name: shownName(key), key, document, output, signal };
    await act.run({ ...task, version: options.ifVersion });
  },
});

/**
 * What an action is about. With `--user` the name is left out; `list` has none, and takes an app as other commands do.
 *
 * @throws {MpError} `usage` for what is left over: it was meant for something, such as an app or another scope.
 */
function operandsOf(
  { arguments: given, options }: CommandContext<typeof scopeArguments, typeof scopeOptions>,
): Readonly<Record<"name" | "document" | "app", string | undefined>> {
  const { user } = options;
  const words = [given.name, given.document].filter((word) => word !== undefined);
  const name = user === undefined && given.action !== "list" ? words.shift() : undefined;
  const document = given.action === "set" ? words.shift() : undefined;
  const app = options.app ?? (given.action === "list" ? words.shift() : undefined);
  if (words.length === 0) return { name, document, app };
  throw usage(`Cannot run mp scope ${given.action}: argument "${words[0]}" is one too many`, {
    next: user === undefined
      ? "Say with --app whose scopes are meant"
      : "Leave out the name, or --user: it means the scope mp.scope.user",
  });
}

function keyOf(
  action: string,
  name: string | undefined,
  user: string | undefined,
): Key | undefined {
  if (user !== undefined) return userScopeKey(user);
  if (name !== undefined) return scopeKey(name);
  if (action === "list") return undefined;
  throw usage(`Cannot ${action} a scope: its name is not given`, {
    next: "See which there are: mp scope list",
  });
}
