/**
 * Chooses where scopes live: the command line beats the environment beats the script beats the default.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { closestString } from "@std/text/closest-string";
import { MpError } from "../errors.ts";
import { encodeNamespace } from "./key.ts";
import type { StorageConfig, StorageName } from "./storage_config.ts";
import {
  formatStorageUrl,
  isStorageName,
  parseStorageUrl,
  unknownStorage,
  type UrlSource,
} from "./storage_url.ts";

/** What a script chose with `mp.setStorage(name, config)`. */
export interface ScriptStorage {
  readonly name: string;
  /** As the user wrote it: a URL, or the options of the storage. */
  readonly config?: unknown;
  /** The script's line. */
  readonly where?: string;
}

/** Everything that can choose a storage. */
export interface StorageSources {
  /** The text of `--storage`. */
  readonly flag?: string;
  /** `MP_STORAGE`, `REDIS_URL`, `REDIS_HOST` and `MYSQL_URL` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly script?: ScriptStorage;
  /** The folder of the topology script. */
  readonly folder: string;
}

const SCRIPT_OPTIONS: Readonly<Record<StorageName, readonly string[]>> = {
  memory: [],
  file: ["path", "directory"],
  redis: ["host", "port", "user", "username", "password", "database", "tls", "sharding", "timeout"],
  mysql: ["host", "port", "user", "password", "database", "tls", "socketPath", "timeout"],
};

const HOST = /^([A-Za-z0-9._-]+|[0-9A-Fa-f:.]+)$/;

/**
 * Chooses a storage.
 *
 * A bare name (`--storage redis`) takes its address from the environment, else from a script that names the same
 * storage, else it is the default: `redis://127.0.0.1:6379`, `mysql://root@127.0.0.1/data`, `.mp/data.db` in the script's
 * folder.
 *
 * @throws {MpError} `usage` for a wrong flag or environment, `topology_invalid` for a wrong script.
 */
export function chooseStorage(sources: StorageSources): StorageConfig {
  const config = choose(sources);
  const refused = sources.env.MP_STORAGE_REFUSED;
  if (config.storage !== "file" || !refused) return config;
  throw new MpError("unsupported", `Cannot keep scopes in a file here: ${refused}`);
}

function choose(sources: StorageSources): StorageConfig {
  const { script } = sources;
  // an unknown name is an error even where something else beats it: it never did what was meant
  const scripted = script === undefined ? undefined : fromScript(script, sources);
  const chosen = choosePlace(sources, scripted);
  // whose scopes they are does not change with where they are
  const namespace = chosen.namespace ?? scripted?.namespace;
  return namespace === undefined ? chosen : { ...chosen, namespace };
}

function choosePlace(
  sources: StorageSources,
  scripted: StorageConfig | undefined,
): StorageConfig {
  const { flag, env, folder } = sources;
  if (flag !== undefined) return fromText(flag, { where: "--storage", folder }, scripted, sources);
  if (env.MP_STORAGE) {
    return fromText(env.MP_STORAGE, { where: "MP_STORAGE", folder }, scripted, sources);
  }
  const named = (["redis", "mysql"] as const).filter((name) => hasAddress(name, env));
  if (named.length > 1 && named.every((name) => name !== scripted?.storage)) {
    throw new MpError(
      "usage",
      `Cannot choose a storage: the environment has the address of both ${named.join(" and ")}`,
      { where: "MYSQL_URL", next: `Set MP_STORAGE to ${named.join(" or ")}` },
    );
  }
  const name = named.find((name) => name === scripted?.storage) ?? named[0];
  if (name !== undefined) return fromName(name, scripted, sources);
  return scripted ?? fromName("file", undefined, sources);
}

function fromText(
  text: string,
  source: UrlSource,
  scripted: StorageConfig | undefined,
  sources: StorageSources,
): StorageConfig {
  return isStorageName(text) ? fromName(text, scripted, sources) : parseStorageUrl(text, source);
}

function hasAddress(name: "redis" | "mysql", env: StorageSources["env"]): boolean {
  return Boolean(name === "redis" ? env.REDIS_URL || env.REDIS_HOST : env.MYSQL_URL);
}

/** The storage of a bare name. */
function fromName(
  name: StorageName,
  scripted: StorageConfig | undefined,
  { env, folder }: StorageSources,
): StorageConfig {
  const [variable, url] = addressOf(name, env);
  if (url !== undefined) {
    const config = parseStorageUrl(url, { where: variable, folder });
    if (config.storage === name) return config;
    throw new MpError("usage", `Cannot use ${variable}: it is the address of ${config.storage}`, {
      where: variable,
      next: `Set MP_STORAGE to it instead, or set ${variable} to the address of ${name}`,
    });
  }
  if (scripted?.storage === name) return scripted;
  return defaultOf(name, folder);
}

function addressOf(name: StorageName, env: StorageSources["env"]): [string, string | undefined] {
  if (name === "mysql") return ["MYSQL_URL", env.MYSQL_URL || undefined];
  if (name !== "redis") return ["", undefined];
  if (env.REDIS_URL) return ["REDIS_URL", env.REDIS_URL];
  return ["REDIS_HOST", env.REDIS_HOST ? `redis://${bracketed(env.REDIS_HOST)}` : undefined];
}

/** A host as it is written in a URL: an IPv6 address needs brackets. */
const bracketed = (host: string) =>
  /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(host) ? `[${host}]` : host;

function defaultOf(storage: StorageName, folder: string): StorageConfig {
  const source = { where: "the default", folder };
  switch (storage) {
    case "memory":
      return { storage };
    case "file":
      return { storage, path: resolve(folder, ".mp", "data.db") };
    case "redis":
      return parseStorageUrl("redis://127.0.0.1:6379", source);
    case "mysql":
      return parseStorageUrl("mysql://root@127.0.0.1/data", source);
  }
}

function fromScript(script: ScriptStorage, sources: StorageSources): StorageConfig {
  const source = { where: script.where ?? "mp.setStorage()", folder: sources.folder };
  try {
    return configured(script, source);
  } catch (error) {
    if (!(error instanceof MpError)) throw error;
    throw new MpError("topology_invalid", error.message, {
      where: source.where,
      next: error.next,
      cause: error,
    });
  }
}

function configured({ name, config }: ScriptStorage, source: UrlSource): StorageConfig {
  if (!isStorageName(name)) throw unknownStorage(name, source.where);
  const { namespace, ...options } = optionsOf(name, config, source.where);
  const place = placeOf(name, options, source);
  if (namespace === undefined) return place;
  try {
    encodeNamespace(namespace as string);
  } catch {
    throw wrongOption(name, source.where, `its namespace "${namespace}" has not 1 to 128 bytes`);
  }
  return { ...place, namespace: namespace as string };
}

function placeOf(
  name: StorageName,
  { url, ...options }: Record<string, unknown>,
  source: UrlSource,
): StorageConfig {
  if (url !== undefined) {
    const parsed = parseStorageUrl(String(url), source);
    if (parsed.storage === name) return parsed;
    throw wrongOption(name, source.where, `its url is that of ${parsed.storage}`);
  }
  if (name === "file") {
    const { path, directory } = options as { path?: unknown; directory?: unknown };
    if (path === undefined && directory === undefined) return defaultOf(name, source.folder);
    return {
      storage: name,
      path: resolve(
        source.folder,
        path === undefined ? join(String(directory), "data.db") : String(path),
      ),
    };
  }
  const defaults = defaultOf(name, source.folder);
  const { username, ...rest } = options;
  const merged = { ...defaults, ...(username !== undefined && { user: username }), ...rest };
  const { host, port } = merged as { host?: unknown; port?: unknown };
  if (name !== "memory" && !(HOST.test(String(host)) && /^[0-9]{1,5}$/.test(String(port)))) {
    throw wrongOption(name, source.where, `"${host}:${port}" is no host and port`);
  }
  // through the URL, so that every value is checked the same way
  return parseStorageUrl(formatStorageUrl(merged as StorageConfig), source);
}

function optionsOf(name: StorageName, config: unknown, where: string): Record<string, unknown> {
  if (config === undefined || config === null) return {};
  if (typeof config === "string") return { url: config };
  if (typeof config !== "object") throw wrongOption(name, where, `${config} is no configuration`);
  const known = ["url", "namespace", ...SCRIPT_OPTIONS[name]];
  const options: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(config)) {
    if (!known.includes(option)) {
      throw wrongOption(
        name,
        where,
        `it has no option "${option}"`,
        `Did you mean "${closestString(option, known)}"? Its options are ${known.join(", ")}`,
      );
    }
    if (!["string", "number", "boolean", "undefined"].includes(typeof value)) {
      throw wrongOption(name, where, `its option "${option}" is no string, number or boolean`);
    }
    if (value !== undefined) options[option] = value;
  }
  return options;
}

function wrongOption(name: string, where: string, why: string, next?: string): MpError {
  return new MpError("usage", `Cannot configure the storage "${name}": ${why}`, { where, next });
}
