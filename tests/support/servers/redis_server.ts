/**
 * A Redis server for tests: on a free port, in a folder of its own, durable.
 *
 * @module
 */

import { startServer, type TestServer } from "./test_server.ts";

/** A running Redis server. */
export interface RedisServer extends TestServer {
  readonly url: string;
  /** What the server answers to a command, as text. */
  ask(...command: readonly string[]): Promise<string>;
}

/**
 * Starts a server that has written what it answers (`appendfsync always`).
 *
 * @param settings Further settings, such as `{ requirepass: "secret" }`.
 */
export async function startRedis(
  settings: Readonly<Record<string, string>> = {},
): Promise<RedisServer> {
  const server = await startServer({
    name: "redis-server",
    command: "redis-server",
    ready: "Ready to accept connections",
    args: (folder, port) => [
      ...["--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
      ...["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
      ...["--maxmemory-policy", "noeviction"],
      ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    ],
  });
  const ask = async (...command: readonly string[]) => {
    const { stdout } = await new Deno.Command("redis-cli", {
      args: ["-p", String(server.port), ...command],
    }).output();
    return new TextDecoder().decode(stdout).replaceAll("\r\n", "\n").trimEnd();
  };
  return { ...server, url: `redis://127.0.0.1:${server.port}/0`, ask };
}
