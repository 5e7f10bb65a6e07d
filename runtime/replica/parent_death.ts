/**
 * How a replica makes sure that it does not outlive its launcher, whatever it is computing.
 *
 * On Linux the kernel is asked to kill the replica with its parent. The kernel means the parent's
 * *thread*: `Deno.Command` forks in the thread that calls `spawn()`, so a launcher spawns replicas in
 * its main thread, which lives as long as the process. Elsewhere the launcher sees to it; see the
 * process driver's orphan guard.
 *
 * @module
 */

import { withCLibrary } from "./c_library.ts";

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9n;

/**
 * Ends this process when its parent ends. To be called first of all, since a parent that has ended
 * before the call is only noticed by the call itself.
 *
 * @param parent The process id of the parent, as the parent knows it.
 */
export function dieWithParent(parent: number): void {
  if (Deno.build.os === "linux") {
    withCLibrary(
      { prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" } },
      ({ prctl }) => prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n),
    );
  }
  // whoever starts a replica is its parent; any other means that the launcher has ended meanwhile
  if (Deno.build.os !== "windows" && Deno.ppid !== parent) Deno.exit(1);
}
