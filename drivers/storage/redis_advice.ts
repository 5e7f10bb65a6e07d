/**
 * Looks whether a Redis server keeps what it is given.
 *
 * @module
 */

import type { RedisLink } from "./redis_link.ts";

/** Warns of settings with which committed data can be lost. A server that does not tell is taken at its word. */
export async function adviseRedis(
  link: RedisLink,
  onWarning: (warning: string) => void,
): Promise<void> {
  const setting = async (name: string): Promise<string | undefined> => {
    try {
      const reply = await link.send(["CONFIG", "GET", name], undefined);
      return (reply as string[])[1];
    } catch {
      return undefined;
    }
  };
  const [policy, appendOnly, sync] = await Promise.all([
    setting("maxmemory-policy"),
    setting("appendonly"),
    setting("appendfsync"),
  ]);
  if (policy !== undefined && policy !== "noeviction") {
    onWarning(
      `Redis may drop scopes when its memory is full (maxmemory-policy ${policy}); set it to noeviction`,
    );
  }
  if (appendOnly === "no") {
    onWarning("Redis loses commits when it dies (appendonly no); set appendonly yes");
  } else if (sync !== undefined && sync !== "always") {
    onWarning(
      `Redis can lose the last commits when it dies (appendfsync ${sync}); set appendfsync always`,
    );
  }
}
