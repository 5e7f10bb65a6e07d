/** `mp scope`. @module */

import { dirname, resolve } from "node:path";
import { messageOf, MpError } from "../errors.ts";
import type { KnownDeployment } from "../launch/state.ts";
import { encodeJson } from "../payload.ts";
import { appName } from "../script/app_name.ts";
import { chooseStorage } from "../storage/choose_storage.ts";
import { scopeKey, userScopeKey } from "../storage/key.ts";
import { lazyStorage } from "../storage/lazy_storage.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import type { Entry, Key, Storage, Versioned } from "../storage/storage.ts";
import { newSession } from "../storage/version.ts";
import { optional, required } from "./argument.ts";
import { command, type CommandContext, type Program } from "./command.ts";
import { driverOf, listDeployments, reachLauncher } from "./deployments.ts";
import { deploymentOf, findDeployment, userState } from "./find_deployment.ts";
import { formatJson } from "./format_json.ts";
import { didYouMean } from "./near_name.ts";
import { text, usage } from "./option.ts";
import type { Output } from "./output.ts";
import { isDnsLabel } from "../topology/names.ts";
import { checkJson, readStdin } from "./read_json.ts";
import { formatTable } from "./table.ts";

const scopeArguments = {
  action: required({ shown: "ACTION", description: "list, get, set, delete or watch" }),
  name: optional({ shown: "NAME", description: "The scope; all but list need it" }),
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

/** What one action works with. */
interface Task {
  readonly storage: Storage;
  readonly name: string | undefined;
  readonly key: Key | undefined;
  readonly document: string | undefined;
  readonly version: string | undefined;
  readonly output: Output;
  readonly signal: AbortSignal;
}

const ACTIONS: Readonly<Record<string, (task: Task) => Promise<void>>> = {
  list,
  get,
  set,
  delete: remove,
  watch,
};

/** Actions that store nothing, and end. */
const LOOKS: ReadonlySet<string> = new Set(["list", "get", "delete"]);

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
    const { arguments: { action }, options, output, signal } = context;
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action]! : undefined;
    if (act === undefined) {
      const names = Object.keys(ACTIONS);
      throw usage(`Cannot ${action} scopes: there is no such action`, {
        next: didYouMean(action, names, `Use ${names.join(", ")}`),
      });
    }
    const { name, document } = operandsOf(context);
    const key = keyOf(action, name, options.user);
    await using storage = await openStorage(context);
    const task = { storage, name: shownName(key), key, document, output, signal };
    await act({ ...task, version: options.ifVersion });
  },
});

/**
 * What an action is about. With `--user` the name is left out, and `list` needs none.
 *
 * @throws {MpError} `usage` for what is left over: it was meant for something, such as an app or another scope.
 */
function operandsOf(
  { arguments: given, options: { user } }: CommandContext<
    typeof scopeArguments,
    typeof scopeOptions
  >,
): { readonly name: string | undefined; readonly document: string | undefined } {
  const words = [given.name, given.document].filter((word) => word !== undefined);
  const name = user === undefined && given.action !== "list" ? words.shift() : undefined;
  const document = given.action === "set" ? words.shift() : undefined;
  if (words.length === 0) return { name, document };
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

async function openStorage(
  { arguments: { action }, options, output, program }: CommandContext<
    typeof scopeArguments,
    typeof scopeOptions
  >,
): Promise<Storage> {
  const storages = await program.storages();
  const open = (config: StorageConfig, app: string) => {
    // who only looks makes no file, least of all at a path that is misspelt
    const isNew = config.storage === "file" && LOOKS.has(action) && isAbsent(config.path);
    return lazyStorage(isNew ? { storage: "memory" } : config, app, storages);
  };
  const { app, script, record, known } = await whose(options, { output, program });
  const own = options.storage === undefined ? await storageOf(record, program) : undefined;
  if (own?.storage === "memory") {
    throw new MpError(
      "unsupported",
      `Cannot look at the scopes of "${app}": they are in the memory of each replica`,
      { next: "Run it with another storage, such as --storage file" },
    );
  }
  if (known && own?.storage === "file") await checkFile(known, program);
  if (own !== undefined) return open(own, app);
  const env = Object.fromEntries(
    ["MP_STORAGE", "REDIS_URL", "REDIS_HOST", "MYSQL_URL"].map((name) => [name, program.env(name)]),
  );
  const config = chooseStorage({ flag: options.storage, env, folder: dirname(script) });
  if (known && options.storage === undefined && config.storage === "file") {
    await checkFile(known, program);
  }
  return open(config, app);
}

/** @throws {MpError} `unsupported` where the storage `file` of a deployment is no file of this machine. */
async function checkFile(known: KnownDeployment, program: Program): Promise<void> {
  const elsewhere = (await driverOf(known, program)).dataElsewhere?.(known.plan);
  if (elsewhere === undefined) return;
  throw new MpError(
    "unsupported",
    `Cannot look at the scopes of "${known.handle.app}": they are ${elsewhere.where}`,
    { next: elsewhere.next },
  );
}

/** Where a running app keeps its scopes; nothing when it uses none. */
async function storageOf(
  record: KnownDeployment | undefined,
  program: Program,
): Promise<StorageConfig | undefined> {
  if (record === undefined) return undefined;
  using launcher = await reachLauncher(record, program);
  return await launcher.storage() ?? undefined;
}

interface Whose {
  readonly app: string;
  readonly script: string;
  /** What runs, if it does. */
  readonly record?: KnownDeployment;
  /** What runs, or has run. */
  readonly known?: KnownDeployment;
}

/** The app whose scopes are meant: one that runs, one that has ended, that of a script, or any in a given storage. */
async function whose(
  { app: name, storage }: { readonly app?: string; readonly storage?: string },
  { output, program }: { readonly output: Output; readonly program: Program },
): Promise<Whose> {
  const state = userState(program);
  const running = await listDeployments(program, { name, output });
  const records = [...running, ...await state.listEnded()];
  const whoseOf = (record: KnownDeployment): Whose => ({
    app: record.handle.app,
    script: record.handle.script,
    known: record,
    ...(running.includes(record) && { record }),
  });
  const known = name === undefined ? undefined : deploymentOf(records, name);
  if (known) return whoseOf(known);
  const script = name === undefined ? undefined : resolve(name);
  if (script !== undefined && isFile(script)) return { app: appName({ script }), script };
  // a server can be looked at from a machine on which the app never ran
  if (storage !== undefined && name !== undefined && isDnsLabel(name)) {
    return { app: name, script: resolve("topology.ts") };
  }
  const among = running.length > 0 ? running : records;
  if (name === undefined && among.length > 1) {
    throw usage(`Cannot tell whose scopes are meant: ${among.length} apps are known here`, {
      next: `Add --app, one of ${among.map(({ handle }) => handle.app).join(", ")}`,
    });
  }
  return whoseOf(findDeployment(among, name));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function isAbsent(path: string): boolean {
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

async function list({ storage, output, signal }: Task): Promise<void> {
  const entries: Entry[] = [];
  for await (const entry of storage.scan({ prefix: ["scope"] }, { signal })) {
    if (output.json) output.data(describe(entry));
    else entries.push(entry);
  }
  if (output.json) return;
  if (entries.length === 0) return output.say("info", "No scope has a document");
  output.result(formatTable(
    ["SCOPE", "BYTES", "VERSION"],
    entries.map(({ key, value, version }) => [
      oneLine(shownName(key)!),
      String(new TextEncoder().encode(value).length),
      version,
    ]),
    output.stdout.palette,
  ));
}

async function get({ storage, key, name, output, signal }: Task): Promise<void> {
  const [found] = await storage.read([key!], { signal });
  if (found?.value === undefined) throw absent(name);
  if (output.json) output.data(describe(found));
  else if (output.stdout.isTerminal) {
    output.result(formatJson(JSON.parse(found.value), output.columns()));
  } else output.result(found.value);
}

async function set({ storage, key, name, document, version, output, signal }: Task): Promise<void> {
  const given = document === "-" ? await readStdin() : document;
  if (given === undefined) {
    throw usage(`Cannot set ${name}: no document is given`, {
      next: `Give JSON, such as '{"count": 1}'`,
    });
  }
  checkJson(given, document === "-", "the document");
  const value = JSON.parse(given);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usage(`Cannot set ${name}: a scope is an object, such as {"count": 1}`);
  }
  await change(storage, key!, { op: "put", key: key!, value: encoded(value, name) }, {
    name,
    version,
    signal,
  });
  output.say("info", `Set ${name}`);
}

/** As text again, in which 1e400 would become null. */
function encoded(value: unknown, name: string | undefined): string {
  try {
    return encodeJson(value);
  } catch (error) {
    throw usage(`Cannot set ${name}: ${messageOf(error)}`);
  }
}

async function remove({ storage, key, name, version, output, signal }: Task): Promise<void> {
  const [found] = await storage.read([key!], { signal });
  if (found?.value === undefined) throw absent(name);
  await change(storage, key!, { op: "delete", key: key! }, {
    name,
    version: version ?? found.version!,
    signal,
  });
  output.say("info", `Deleted ${name}`);
}

async function watch({ storage, key, output, signal }: Task): Promise<void> {
  for await (const state of storage.watch([key!], { signal })) {
    if (output.json) output.data(describe(state));
    else output.result(state.value ?? "(no document)");
    await output.stdout.sink.room();
  }
}

/** Changes a scope, if it still is as it was. */
async function change(
  storage: Storage,
  key: Key,
  mutation: { op: "put"; key: Key; value: string } | { op: "delete"; key: Key },
  { name, version, signal }: Pick<Task, "name" | "version" | "signal">,
): Promise<void> {
  const expected = version ?? (await storage.read([key], { signal }))[0]!.version;
  const commit = {
    session: newSession(),
    seq: 1,
    checks: [{ key, version: expected }],
    mutations: [mutation],
  };
  const [result] = await storage.commit([commit], { signal });
  if (result!.done) return;
  throw new MpError(
    "scope_conflict",
    `Cannot change ${name}: its version is ${result!.current[0]?.version ?? "none"}, not ${
      expected ?? "none"
    }`,
    { next: "Read it again with mp scope get --json, and try once more" },
  );
}

function describe({ key, version, value }: Versioned | Entry) {
  const [, ...names] = key;
  return {
    ...(names.length === 2 ? { user: names[1] } : { name: names[0] }),
    version,
    document: value === undefined ? null : JSON.parse(value),
  };
}

function shownName(key: Key | undefined): string | undefined {
  if (key === undefined) return undefined;
  const [, ...names] = key;
  return names.length === 2 ? `user ${names[1]}` : names[0];
}

/** A name may hold anything: on a terminal, line breaks and escape sequences would do what they say. */
function oneLine(name: string): string {
  return name.replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function absent(name: string | undefined): MpError {
  return new MpError(
    "scope_not_found",
    `Cannot find scope ${JSON.stringify(name)}: it has no document`,
    {
      next: "See which there are: mp scope list",
    },
  );
}
