/**
 * Which process it was: an id alone says little, for ids are given anew.
 *
 * @module
 */

/** A process, so that another that got its id later is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own form; empty where that cannot be known. */
  readonly started: string;
}

/** This process. */
export async function ownProcess(): Promise<ProcessIdentity> {
  return { pid: Deno.pid, started: await startOf(Deno.pid) ?? "" };
}

/** Whether a process still runs. Where that cannot be known, it is taken to run. */
export async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  if (started === "") return true;
  return await startOf(pid) === started;
}

/** When a process started; nothing when there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "";
  if (Deno.build.os === "linux") {
    try {
      const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
      // the command's name, in parentheses, may hold anything; the start is the 20th field after it
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // a zombie has ended, though nobody asked for its status yet
      if (fields[0] === "Z" || fields[0] === "X") return undefined;
      return `${await bootId()}:${fields[19]}`;
    } catch {
      return undefined;
    }
  }
  const ps = new Deno.Command("ps", {
    args: ["-o", "lstart=", "-p", String(pid)],
    env: { LC_ALL: "C" },
    stderr: "null",
  });
  const { success, stdout } = await ps.output();
  const text = new TextDecoder().decode(stdout).trim();
  return success && text !== "" ? text : undefined;
}

let boot: string | undefined;

async function bootId(): Promise<string> {
  return boot ??= (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).trim();
}
