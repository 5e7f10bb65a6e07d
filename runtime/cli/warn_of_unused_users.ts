/**
 * Users that nobody asks for.
 *
 * @module
 */

import type { Plan } from "../plan/plan.ts";

/**
 * Says that `--auth-users` lets nobody in and keeps nobody out, which is not meant.
 *
 * @param users The option's value.
 * @param fromEnvironment What it would be without the option: a variable may be set for other scripts.
 */
export function warnOfUnusedUsers(
  { nodes }: Plan,
  { users, fromEnvironment }: { users: string | undefined; fromEnvironment: string | undefined },
  warn: (text: string) => void,
): void {
  if (users === undefined || users === fromEnvironment) return;
  if (nodes.some(({ guard }) => guard?.usersFromOutside)) return;
  const guarded = nodes.filter(({ guard }) => guard).map(({ service }) => `"${service}"`);
  warn(
    guarded.length === 0
      ? "--auth-users does nothing here: every caller is answered, for no service is in mp.basicAuth()"
      : `--auth-users does nothing here: the script itself says who may call ${guarded.join(", ")}`,
  );
}
