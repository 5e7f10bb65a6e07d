/**
 * The users of an htpasswd file, followed as the file changes.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import { showPath } from "../script/show_path.ts";
import { parseHtpasswd } from "./htpasswd.ts";
import { knownUsers, type PasswordCheck } from "./known_users.ts";

/** The longest file that is read, in bytes. */
const LONGEST = 16 * 1024 * 1024;

/** How often the file is looked at, at most, in milliseconds. */
const INTERVAL = 1000;

/**
 * Opens a file of users. A change of it holds within a second; while what it was changed to cannot be read,
 * the users are those from before.
 *
 * @param path Absolute.
 * @param interval How often the file is looked at, at most, in milliseconds. Default: 1,000.
 * @throws {MpError} `topology_invalid` when it cannot be read.
 */
export function usersFile(path: string, interval = INTERVAL): PasswordCheck {
  let stamp = stampOf(path);
  let check = readUsers(path);
  let looked = performance.now();
  return (user, password, onFault) => {
    if (performance.now() - looked >= interval) {
      looked = performance.now();
      const now = stampOf(path);
      if (now !== stamp) {
        stamp = now;
        try {
          check = readUsers(path);
        } catch (error) {
          onFault(error);
        }
      }
    }
    return check(user, password, onFault);
  };
}

/** What changes with the file; nothing when it is not there. */
function stampOf(path: string): string {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return "";
  }
}

function readUsers(path: string): PasswordCheck {
  const text = readText(path);
  const users = parseHtpasswd(text);
  if (typeof users === "string") throw unreadable(path, users);
  return knownUsers(users, text);
}

function readText(path: string): string {
  try {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile) throw new Error("it is no file");
    if (size > LONGEST) throw new Error(`it is longer than ${LONGEST} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw unreadable(path, "there is no such file");
    throw unreadable(path, error instanceof TypeError ? "it is not UTF-8" : messageOf(error));
  }
}

function unreadable(path: string, why: string): MpError {
  return new MpError(
    "topology_invalid",
    `Cannot read the users of ${JSON.stringify(showPath(path))}: ${why}`,
    { next: "Make it with htpasswd -B, one line for each user" },
  );
}
