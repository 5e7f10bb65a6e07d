/**
 * Where scopes live, as data. Types only.
 *
 * @module
 */

/** A chosen storage. JSON; holds passwords, so show it with `showStorage()`. */
export type StorageConfig = MemoryConfig | FileConfig | RedisConfig | MysqlConfig;

/** The name of a storage. */
export type StorageName = StorageConfig["storage"];

/** What all storages have in common. */
export interface SharedConfig {
  /** Whose scopes they are, where several apps share them on purpose. Default: the app. */
  readonly namespace?: string;
}

/** A Map in one process, for tests. */
export interface MemoryConfig extends SharedConfig {
  readonly storage: "memory";
}

/** A file of this machine. */
export interface FileConfig extends SharedConfig {
  readonly storage: "file";
  /** Absolute. */
  readonly path: string;
}

/** What storages on a server have in common. */
export interface ServerConfig extends SharedConfig {
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  /** Whether the connection is encrypted. `no-verify`: whoever it is that answers. */
  readonly tls: boolean | "no-verify";
  /** How long to wait for an answer before the connection is given up, in milliseconds. */
  readonly timeout: number;
}

/** A Redis server, or a cluster. */
export interface RedisConfig extends ServerConfig {
  readonly storage: "redis";
  /** The number of the database. */
  readonly database: number;
  /** What always lies together, and can be changed by one commit: everything of an app, or one scope. */
  readonly sharding: "app" | "scope";
}

/** A MySQL or MariaDB server. */
export interface MysqlConfig extends ServerConfig {
  readonly storage: "mysql";
  readonly database: string;
  /** A Unix socket, in place of host and port. */
  readonly socketPath?: string;
}
