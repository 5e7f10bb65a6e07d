/**
 * Tells right passwords from wrong ones, and nothing else: whether it is the name that is wrong, or the
 * password, shows neither in the answer nor in how long it takes.
 *
 * @module
 */

import { keyedDigest } from "./digest.ts";
import { RightOnes } from "./right_ones.ts";
import { SlowChecks } from "./slow_checks.ts";
import type { StoredPassword } from "./stored_password.ts";

/** Whether a user has a password. */
export type PasswordCheck = (
  user: string,
  password: string,
  onFault: (error: unknown) => void,
) => boolean | Promise<boolean>;

/**
 * Makes the check of known users.
 *
 * A name that is not among them costs the same as one that is: its password is compared with that of
 * some other user, always the same one for a name, for users may be kept in forms that differ in cost.
 *
 * @param passwords By name; at least one.
 * @param seed Decides whose password that is. It must not be known to callers.
 */
export function knownUsers(
  passwords: ReadonlyMap<string, StoredPassword>,
  seed: string | Uint8Array,
): PasswordCheck {
  const stored = [...passwords.values()];
  const slowly = new SlowChecks();
  const right = new RightOnes<true>();
  return (user, password) => {
    // neither a name nor a password holds a line break
    const credentials = `${user}\n${password}`;
    if (right.get(credentials) || slowly.isRight(user, password)) return true;
    const [a = 0, b = 0, c = 0] = keyedDigest(seed, user);
    const decoy = stored[(a << 16 | b << 8 | c) % stored.length]!;
    const own = passwords.get(user);
    const compared = own ?? decoy;
    const isKnown = own !== undefined;
    if (compared.slow) {
      return slowly.check(user, password, async () => await compared.matches(password) && isKnown);
    }
    const isRight = compared.matches(password) && isKnown;
    if (isRight === true && compared.plain) right.add(credentials, true);
    return isRight;
  };
}
