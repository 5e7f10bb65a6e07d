/**
 * What `mp scope` does with scopes.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import { encodeJson } from "../payload.ts";
import type { Entry, Key, Storage, Versioned } from "../storage/storage.ts";
import { newSession } from "../storage/version.ts";
import { formatJson } from "./format_json.ts";
import { usage } from "./option.ts";
import type { Output } from "./output.ts";
import { checkJson, readStdin } from "./read_json.ts";
import { formatTable } from "./table.ts";

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

/** One of the actions. */
export interface ScopeAction {
  /** Whether it may store something now or later, and so makes a storage that is not there. */
  readonly mayStore: boolean;
  run(task: Task): Promise<void>;
}

/** By name. */
export const SCOPE_ACTIONS: Readonly<Record<string, ScopeAction>> = {
  list: { mayStore: false, run: list },
  get: { mayStore: false, run: get },
  set: { mayStore: true, run: set },
  delete: { mayStore: false, run: remove },
  // what it waits for may come
  watch: { mayStore: true, run: watch },
};

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

/** The name of a scope, for people. */
export function shownName(key: Key | undefined): string | undefined {
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
