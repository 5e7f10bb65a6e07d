/**
 * A connection to a Redis server or cluster.
 *
 * @module
 */

import type { RedisConfig } from "../../runtime/storage/storage_config.ts";
import type { RedisClient, RedisCluster } from "./redis_library.d.ts";

/** An open connection. */
export interface RedisLink {
  /** Whether it goes to all servers of a cluster. */
  readonly cluster: boolean;
  /** Sends a command to the node that holds a key. @throws What Redis answered, or why there is no answer. */
  send(args: readonly string[], key: string | undefined): Promise<unknown>;
  /** Sends a command to every node that holds keys. */
  sendToAll(args: (node: number) => readonly string[]): Promise<unknown[]>;
  /** Whether an error is an answer of Redis. */
  isReply(error: unknown): boolean;
  close(): void;
}

/** What can be said about a connection. */
export interface RedisLinkOptions {
  /** Whether the server is one of a cluster. */
  readonly cluster: boolean;
  readonly signal: AbortSignal;
  /** Called once when the connection is of no use any more, unless it was closed. */
  onLost(): void;
}

/** How long making a connection may take, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;

/** Connects; the library is loaded by whoever uses Redis. */
export async function connectRedis(
  config: RedisConfig,
  { cluster, signal, onLost }: RedisLinkOptions,
): Promise<RedisLink> {
  const library = await import("./redis_library.ts");
  const options = clientOptions(config);
  let state: "connecting" | "open" | "over" = "connecting";
  const lose = () => {
    // while it is being made, connect() tells what is wrong
    if (state !== "open") return;
    // what is under way is settled by the library before its owner makes another connection
    close();
    onLost();
  };
  const connection = cluster
    ? library.createCluster({
      rootNodes: [{ ...options, socket: { ...options.socket, ...addressOf(config) } }],
      defaults: options,
      topologyRefreshOnReconnectionAttemptStrategy: false,
    })
    : library.createClient({
      ...options,
      database: config.database,
      socket: { ...options.socket, ...addressOf(config) },
    });
  const watchdog = createWatchdog(config.timeout, lose);
  function close() {
    state = "over";
    watchdog.stop();
    connection.destroy();
  }
  connection.on("error", lose);
  if (cluster) (connection as RedisCluster).on("node-error", lose);
  const abort = () => connection.destroy();
  signal.addEventListener("abort", abort);
  try {
    await connection.connect();
    // something in between may have accepted in place of a server that is away, or that does not let us in
    if (!cluster) await watchdog.watch((connection as RedisClient).sendCommand(["PING"]));
    state = "open";
  } catch (error) {
    close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return {
    cluster,
    send: (args, key) =>
      watchdog.watch(
        cluster
          ? (connection as RedisCluster).sendCommand(key, false, args)
          : (connection as RedisClient).sendCommand(args),
      ),
    async sendToAll(args) {
      if (!cluster) return [await watchdog.watch((connection as RedisClient).sendCommand(args(0)))];
      const nodes = connection as RedisCluster;
      return await Promise.all(nodes.masters.map(async (master, i) => {
        const client = await nodes.nodeClient(master);
        return await watchdog.watch(client.sendCommand(args(i)));
      }));
    },
    isReply: (error) => error instanceof library.ErrorReply,
    close,
  };
}

const addressOf = ({ host, port }: RedisConfig) => ({ host, port });

function clientOptions({ user, password, tls }: RedisConfig) {
  return {
    username: user,
    password,
    RESP: 2,
    // a lost connection is made again by its owner, who then knows what was not answered
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    // one timer watches the connection; one of its own for each command would cost more than the command
    commandOptions: { timeout: undefined },
    socket: {
      reconnectStrategy: false,
      connectTimeout: CONNECT_TIMEOUT,
      keepAlive: true,
      noDelay: true,
      ...(tls !== false && { tls: true, rejectUnauthorized: tls === true }),
    },
  };
}

/** Calls `onStall` when nothing is answered for some time although something is expected. */
function createWatchdog(timeout: number, onStall: () => void) {
  let expected = 0;
  let progress = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  function stop() {
    clearInterval(timer);
    timer = undefined;
  }
  function look() {
    if (performance.now() - progress < timeout) return;
    stop();
    onStall();
  }
  function answered() {
    progress = performance.now();
    if (--expected === 0) stop();
  }
  return {
    async watch<T>(answer: Promise<T>): Promise<T> {
      if (expected++ === 0) {
        progress = performance.now();
        timer = setInterval(look, timeout / 4);
      }
      try {
        return await answer;
      } finally {
        answered();
      }
    },
    stop,
  };
}
