/**
 * What sees to it that no replica outlives a launcher that was killed.
 *
 * On Linux replicas ask the kernel themselves (`runtime/replica/parent_death.ts`). On Windows they are in
 * a job that ends with the launcher. Elsewhere a small process, told of every replica, waits for the end
 * of a pipe that the launcher holds.
 *
 * @module
 */

import { killWithThisProcess } from "./windows_job.ts";

/** Told of every process of a replica. */
export interface OrphanGuard {
  /** Resolves when the guard has been told. */
  watch(pid: number): Promise<void>;
  forget(pid: number): void;
  close(): Promise<void>;
}

const NO_GUARD: OrphanGuard = {
  watch: () => Promise.resolve(),
  forget() {},
  close: () => Promise.resolve(),
};

/** The guard for this system. To be called before the first replica is started. */
export function orphanGuard(): OrphanGuard {
  if (Deno.build.os === "linux") return NO_GUARD;
  if (Deno.build.os !== "windows") return pipeGuard();
  killWithThisProcess();
  return NO_GUARD;
}

/** Reads `+ PID` and `- PID`, and kills what is left when the pipe ends, by itself or with the launcher. */
const WATCHER = `
trap '' INT TERM HUP
pids=' '
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
[ "$pids" = ' ' ] || kill -9 $pids 2>/dev/null
`;

/** A guard for systems with a shell. */
export function pipeGuard(): OrphanGuard {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", WATCHER],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const pipe = child.stdin.getWriter();
  const encoder = new TextEncoder();
  const tell = (line: string) => pipe.write(encoder.encode(line)).catch(() => {});
  return {
    watch: (pid) => tell(`+ ${pid}\n`),
    forget: (pid) => void tell(`- ${pid}\n`),
    async close() {
      await pipe.close().catch(() => {});
      await child.status;
    },
  };
}
