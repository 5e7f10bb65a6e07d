/**
 * Finds processes that a test left running.
 *
 * @module
 */

/** A process that still runs. */
export interface LeftRunning {
  readonly pid: number;
  readonly command: string;
}

/**
 * Finds the processes whose environment, command line or working folder names a folder. Only Linux
 * tells; elsewhere none is found.
 */
export async function leftRunning(folder: string): Promise<LeftRunning[]> {
  if (Deno.build.os !== "linux") return [];
  const found: LeftRunning[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    const read = (file: string) => Deno.readTextFile(`/proc/${pid}/${file}`).catch(() => "");
    const cwd = Deno.readLink(`/proc/${pid}/cwd`).catch(() => "");
    // what has ended, and is only not yet reaped, has none of these
    const [command, env] = await Promise.all([read("cmdline"), read("environ")]);
    if (![command, env, await cwd].some((text) => text.includes(folder))) continue;
    found.push({ pid, command: command.replaceAll("\0", " ").trim() });
  }
  return found;
}
