/**
 * Storages as URLs: `file:./data.db`, `redis://host:6379/0?sharding=scope`, `mysql://user:password@host/database`.
 *
 * @module
 */

import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { closestString } from "@std/text/closest-string";
import { MpError } from "../errors.ts";
import { encodeNamespace } from "./key.ts";
import type {
  MysqlConfig,
  RedisConfig,
  ServerConfig,
  StorageConfig,
  StorageName,
} from "./storage_config.ts";

/** Every storage. */
export const STORAGE_NAMES: readonly StorageName[] = ["file", "redis", "mysql", "memory"];

const SCHEMES: Readonly<Record<string, StorageName>> = {
  "memory:": "memory",
  "file:": "file",
  "redis:": "redis",
  "rediss:": "redis",
  "mysql:": "mysql",
  "mariadb:": "mysql",
};
const OPTIONS = {
  memory: [],
  file: [],
  redis: ["sharding", "timeout", "tls"],
  mysql: ["database", "socketPath", "timeout", "tls"],
} satisfies Record<StorageName, readonly string[]>;
const PORTS = { redis: 6379, mysql: 3306 };
const TIMEOUT = 10_000;

/** Where a text comes from, for messages: `--storage`, `MP_STORAGE`. */
export interface UrlSource {
  readonly where: string;
  /** The folder of the topology script, which relative paths start from. */
  readonly folder: string;
}

/** Whether a text is the bare name of a storage. */
export function isStorageName(text: string): text is StorageName {
  return (STORAGE_NAMES as readonly string[]).includes(text);
}

/**
 * Reads the URL of a storage, or the path of a file.
 *
 * @throws {MpError} `usage` when it is neither, with a near name where there is one.
 */
export function parseStorageUrl(text: string, source: UrlSource): StorageConfig {
  const { place, namespace } = takeNamespace(text, source.where);
  const config = parsePlace(place, source);
  return namespace === undefined ? config : { ...config, namespace };
}

/** Takes the option that every storage has, files too, out of a URL. */
function takeNamespace(text: string, where: string): { place: string; namespace?: string } {
  const match = /([?&])namespace=([^&#]*)(&?)/.exec(text);
  if (match === null) return { place: text };
  const [whole, before, written, after] = match as unknown as [string, string, string, string];
  try {
    const namespace = decodeURIComponent(written);
    encodeNamespace(namespace);
    return { place: text.replace(whole, after && before), namespace };
  } catch {
    throw wrongUrl(where, text, `its namespace is "${written}", not 1 to 128 bytes`);
  }
}

function parsePlace(text: string, source: UrlSource): StorageConfig {
  if (/^([A-Za-z]:)?[/\\]|^\.{1,2}[/\\]|^[^:]*\.(db|sqlite3?)$/.test(text)) {
    return { storage: "file", path: resolve(source.folder, text) };
  }
  const scheme = /^([a-z][a-z0-9+.-]*:)/i.exec(text)?.[1]?.toLowerCase();
  const storage = scheme === undefined || !Object.hasOwn(SCHEMES, scheme)
    ? undefined
    : SCHEMES[scheme];
  if (storage === undefined) {
    const name = scheme?.slice(0, -1) ?? text;
    throw unknownStorage(name, source.where);
  }
  if (storage === "file") return { storage, path: pathOf(text, source) };
  const url = URL.parse(text);
  if (url === null) throw wrongUrl(source.where, text, "it is not a valid URL");
  refuseUnknownOptions(storage, url, source.where);
  switch (storage) {
    case "memory":
      return { storage };
    case "redis":
      return redisOf(url, source.where);
    case "mysql":
      return mysqlOf(url, source.where);
  }
}

/** The URL of a storage; `parseStorageUrl()` gives the same storage back. Holds its password. */
export function formatStorageUrl(config: StorageConfig): string {
  const place = formatPlace(config);
  if (config.namespace === undefined) return place;
  const namespace = `namespace=${encodeURIComponent(config.namespace)}`;
  return `${place}${place.includes("?") ? "&" : "?"}${namespace}`;
}

function formatPlace(config: StorageConfig): string {
  if (config.storage === "memory") return "memory:";
  if (config.storage === "file") return pathToFileURL(config.path).href;
  const url = new URL(`${config.storage}://host`);
  url.hostname = config.host.includes(":") ? `[${config.host}]` : config.host;
  url.port = String(config.port);
  url.username = encodeURIComponent(config.user ?? "");
  url.password = encodeURIComponent(config.password ?? "");
  // paths of URLs hold no such names, escaped or not
  if (/^\.\.?$/.test(String(config.database))) {
    url.searchParams.set("database", String(config.database));
  } else url.pathname = `/${encodeURIComponent(config.database)}`;
  if (config.tls !== false) url.searchParams.set("tls", String(config.tls));
  if (config.timeout !== TIMEOUT) url.searchParams.set("timeout", String(config.timeout));
  if (config.storage === "redis" && config.sharding !== "app") {
    url.searchParams.set("sharding", config.sharding);
  }
  if (config.storage === "mysql" && config.socketPath !== undefined) {
    url.searchParams.set("socketPath", config.socketPath);
  }
  return url.href;
}

/** A storage for people: no password. */
export function showStorage(config: StorageConfig): string {
  const { storage, namespace } = config;
  if (namespace === undefined && storage === "memory") return "memory";
  if (namespace === undefined && storage === "file") return config.path;
  if (storage === "memory" || storage === "file") return formatStorageUrl(config);
  const hidden = config.password === undefined ? {} : { password: "***" };
  return formatStorageUrl({ ...config, ...hidden });
}

/** The error for a storage that is not there, with a near name. */
export function unknownStorage(name: string, where: string): MpError {
  const near = closestString(name.toLowerCase(), STORAGE_NAMES);
  const names = `Storages are ${STORAGE_NAMES.join(", ")}`;
  return new MpError("usage", `Cannot use the storage "${name}": there is none of that name`, {
    where,
    next: isNear(name, near) ? `Did you mean "${near}"? ${names}` : names,
  });
}

function isNear(name: string, near: string): boolean {
  const common = [...near].filter((letter) => name.toLowerCase().includes(letter)).length;
  return common * 2 > near.length;
}

function wrongUrl(where: string, text: string, why: string, next?: string): MpError {
  const shown = text.replace(/\/\/[^@/]*@/, "//***@");
  return new MpError("usage", `Cannot use the storage "${shown}": ${why}`, { where, next });
}

function pathOf(text: string, { where, folder }: UrlSource): string {
  const next = "Write file:data.db for a file beside the script, or file:///folder/data.db";
  const path = text.slice("file:".length);
  if (path === "" || /^\/+$/.test(path)) throw wrongUrl(where, text, "it names no file", next);
  if (/[?#]/.test(path)) throw wrongUrl(where, text, "a file has no options", next);
  if (path.startsWith("//")) {
    try {
      return fileURLToPath(text);
    } catch {
      throw wrongUrl(where, text, "it names a host", next);
    }
  }
  let plain: string;
  try {
    plain = decodeURIComponent(path);
  } catch {
    throw wrongUrl(where, text, "it is not a valid URL", next);
  }
  return isAbsolute(plain) ? resolve(plain) : resolve(folder, plain);
}

function refuseUnknownOptions(storage: StorageName, url: URL, where: string): void {
  const known: readonly string[] = OPTIONS[storage];
  for (const name of url.searchParams.keys()) {
    if (known.includes(name)) continue;
    throw wrongUrl(
      where,
      url.href,
      `${storage} has no option "${name}"`,
      known.length === 0 ? undefined : `Its options are ${known.join(", ")}`,
    );
  }
}

function serverOf(storage: "redis" | "mysql", url: URL, where: string): ServerConfig {
  const timeout = url.searchParams.get("timeout");
  if (timeout !== null && !/^[1-9][0-9]{0,8}$/.test(timeout)) {
    throw wrongUrl(where, url.href, `timeout is "${timeout}", which is no number of milliseconds`);
  }
  const tls = url.searchParams.get("tls") ?? String(url.protocol === "rediss:");
  if (!["true", "false", "no-verify"].includes(tls)) {
    throw wrongUrl(where, url.href, `tls is "${tls}", not true, false or no-verify`);
  }
  const text = (part: string) => part === "" ? undefined : decodeURIComponent(part);
  return {
    host: url.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1",
    port: url.port === "" ? PORTS[storage] : Number(url.port),
    ...(url.username !== "" && { user: text(url.username) }),
    ...(url.password !== "" && { password: text(url.password) }),
    tls: tls === "no-verify" ? tls : tls === "true",
    timeout: timeout === null ? TIMEOUT : Number(timeout),
  };
}

function redisOf(url: URL, where: string): RedisConfig {
  const database = url.pathname.replace(/^\//, "") || "0";
  if (!/^[0-9]{1,5}$/.test(database)) {
    throw wrongUrl(where, url.href, `its database is "${database}", which is no number`);
  }
  const sharding = url.searchParams.get("sharding") ?? "app";
  if (sharding !== "app" && sharding !== "scope") {
    throw wrongUrl(where, url.href, `sharding is "${sharding}", not app or scope`);
  }
  return {
    storage: "redis",
    ...serverOf("redis", url, where),
    database: Number(database),
    sharding,
  };
}

function mysqlOf(url: URL, where: string): MysqlConfig {
  const database = url.searchParams.get("database") ??
    decodeURIComponent(url.pathname.replace(/^\//, ""));
  if (database === "" || database.includes("/")) {
    const why = database === "" ? "it names no database" : `its database is "${database}"`;
    throw wrongUrl(where, url.href, why, "Write mysql://user:password@host:3306/database");
  }
  const socketPath = url.searchParams.get("socketPath");
  return {
    storage: "mysql",
    ...serverOf("mysql", url, where),
    database,
    ...(socketPath !== null && { socketPath }),
  };
}
