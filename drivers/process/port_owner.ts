/**
 * Who listens on a TCP port, as Linux tells.
 *
 * @module
 */

/** A process that listens on a port. */
export interface PortOwner {
  readonly pid: number;
  /** Its program and arguments. */
  readonly command: string;
  /** The app whose door it is, where it is a replica of this user's. */
  readonly app?: string;
}

const LISTEN = "0A";

/**
 * Finds the process that listens on a port, on whatever address.
 *
 * @returns Nothing where the system does not tell: it is not Linux, or the process is another user's.
 */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  const sockets = new Set(
    [...await listeners("/proc/net/tcp", port), ...await listeners("/proc/net/tcp6", port)]
      .map((inode) => `socket:[${inode}]`),
  );
  if (sockets.size === 0) return undefined;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || !await holds(name, sockets)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
    const app = /(?:^|\0)MP_REPLICA=/.test(environment)
      ? /(?:^|\0)MP_APP=([^\0]+)/.exec(environment)?.[1]
      : undefined;
    return {
      pid: Number(name),
      command: command.replaceAll("\0", " ").trim(),
      ...(app !== undefined && { app }),
    };
  }
  return undefined;
}

/** The inodes of the sockets that listen on a port. */
async function listeners(table: string, port: number): Promise<string[]> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const text = await Deno.readTextFile(table).catch(() => "");
  // "sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …"
  return text.split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix))
    .map((fields) => fields[9]!);
}

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      const link = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
      if (sockets.has(link)) return true;
    }
  } catch {
    // another user's process, or one that has ended
  }
  return false;
}
