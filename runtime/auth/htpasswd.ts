/**
 * Reads htpasswd files. Pure.
 *
 * @module
 */

import { hashedPassword, type StoredPassword } from "./stored_password.ts";
import { userNameProblem } from "./user_name.ts";

/**
 * Reads the text of an htpasswd file: `name:password` in each line, where the password is hashed with bcrypt,
 * SHA-1 (`{SHA}`) or Apache's MD5 (`$apr1$`). Blank lines and those that begin with `#` say nothing.
 *
 * @returns The users. Where the text is wrong: which line, and why, without anything secret.
 */
export function parseHtpasswd(text: string): ReadonlyMap<string, StoredPassword> | string {
  const passwords = new Map<string, StoredPassword>();
  const lines = new Map<string, number>();
  for (const [i, line] of text.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const wrong = (why: string) => `line ${i + 1} ${why}`;
    const colon = line.indexOf(":");
    if (colon < 0) return wrong("has no colon between a name and a password");
    const user = line.slice(0, colon);
    const problem = userNameProblem(user);
    if (problem !== undefined) return wrong(`has no name that can be used: ${problem}`);
    const first = lines.get(user);
    const named = JSON.stringify(user);
    if (first !== undefined) return wrong(`names ${named} again, after line ${first}`);
    // what some servers allow behind a second colon is a comment
    const password = hashedPassword(line.slice(colon + 1).split(":")[0]!.trimEnd());
    if (typeof password === "string") {
      return wrong(`has a password for ${named} that cannot be used: ${password}`);
    }
    passwords.set(user, password);
    lines.set(user, i + 1);
  }
  return passwords.size > 0 ? passwords : "no user is in it";
}
