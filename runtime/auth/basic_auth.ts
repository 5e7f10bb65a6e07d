/**
 * `mp.basicAuth()`: callers say who they are by name and password.
 *
 * @module
 */

import { resolve } from "node:path";
import { MpError } from "../errors.ts";
import type { AnyTarget } from "../topology/target.ts";
import { checkTarget } from "../topology/topology.ts";
import type { AuthSources } from "./auth_sources.ts";
import { readBasic } from "./authorization.ts";
import { randomKey } from "./digest.ts";
import { entriesOf } from "./entries.ts";
import { type Identify, withGuard } from "./guard.ts";
import { knownUsers, type PasswordCheck } from "./known_users.ts";
import { checkRealm } from "./realm.ts";
import { plainPassword, type StoredPassword } from "./stored_password.ts";
import { hasControls, userNameProblem } from "./user_name.ts";
import { usersFile } from "./users_file.ts";

/**
 * Who may call a service:
 *
 * - passwords by name;
 * - the path of an htpasswd file, relative to the script;
 * - a function that tells whether a name has a password.
 */
export type Users =
  | Readonly<Record<string, string>>
  | ReadonlyMap<string, string>
  | string
  | ((user: string, password: string) => boolean | Promise<boolean>);

/** Options of `mp.basicAuth()`. */
export interface BasicAuthOptions {
  /** Who may call. Default: the htpasswd file that `--auth-users` or `MP_AUTH_USERS` names. */
  users?: Users;
  /** What callers are told they need a password for. Default: the service's name. */
  realm?: string;
}

/** `mp.basicAuth()`. */
export type BasicAuth = <T extends AnyTarget>(target: T, options?: BasicAuthOptions) => T;

const NAME = "mp.basicAuth()";

/**
 * Binds `mp.basicAuth()` to what surrounds an evaluation of a script.
 *
 * @param sources Absent where nothing is deployed: a script can be imported without its users.
 */
export function basicAuthOf(sources: AuthSources | undefined): BasicAuth {
  return (target, options = {}) => {
    checkTarget(NAME, target);
    if (typeof options !== "object" || options === null) {
      throw new TypeError(`Cannot make ${NAME}: its options are no object such as { users }`);
    }
    const { users, realm } = options;
    checkRealm(NAME, realm);
    const openCheck = checkOf(users, sources);
    return withGuard(target, {
      name: NAME,
      scheme: "Basic",
      usersFromOutside: users === undefined,
      realm,
      open: () => identifyBy(openCheck()),
    });
  };
}

function identifyBy(check: PasswordCheck): Identify {
  return (authorization, onFault) => {
    const credentials = readBasic(authorization);
    if (credentials === undefined) return undefined;
    const { user, password } = credentials;
    const known = (right: boolean) => right ? user : undefined;
    const right = check(user, password, onFault);
    return typeof right === "boolean" ? known(right) : right.then(known);
  };
}

/** How the check is made ready; what can be found wrong with the users now is. */
function checkOf(users: Users | undefined, sources: AuthSources | undefined): () => PasswordCheck {
  if (typeof users === "function") return () => checkByFunction(users);
  if (typeof users === "object" && users !== null) {
    const passwords = passwordsOf(users);
    return () => knownUsers(passwords(), randomKey());
  }
  if (users !== undefined && (typeof users !== "string" || users === "")) {
    throw new TypeError(
      `Cannot make ${NAME}: its users are ${
        users === null ? "null" : users === "" ? "an empty text" : `a ${typeof users}`
      }, not passwords by name, the path of an htpasswd file, or a function`,
    );
  }
  if (sources === undefined) return nowhere;
  const path = users === undefined ? sources.env.MP_AUTH_USERS : resolve(sources.folder, users);
  if (!path) {
    throw new MpError("topology_invalid", `Cannot use ${NAME} without users: nobody may call`, {
      next: "Give it { users }, or name an htpasswd file by --auth-users FILE or MP_AUTH_USERS",
    });
  }
  const open = () => usersFile(resolve(path));
  if (sources.eager) open();
  return open;
}

function nowhere(): never {
  throw new MpError("unsupported", "Cannot read who may call: nothing is deployed here", {
    next: "Run the script with mp run",
  });
}

/** Checks passwords by name. @returns Makes them ready to be compared with. */
function passwordsOf(
  users: Exclude<Users, string | CallableFunction>,
): () => ReadonlyMap<string, StoredPassword> {
  const passwords = new Map<string, string>();
  for (const [user, password] of entriesOf(users)) {
    const what = `the user ${JSON.stringify(user)}`;
    const problem = userNameProblem(user) ??
      (user.includes(":") ? "it holds a colon, which ends a name" : undefined);
    if (problem !== undefined) throw new TypeError(`Cannot take ${what}: ${problem}`);
    if (typeof password !== "string" || password === "" || hasControls(password)) {
      throw new TypeError(
        `Cannot take ${what}: the password is ${
          typeof password !== "string"
            ? `${password === null ? "null" : typeof password}, not a string`
            : password === ""
            ? "empty"
            : "one that cannot be sent: it holds a control character"
        }`,
      );
    }
    passwords.set(user, password);
  }
  if (passwords.size === 0) throw new TypeError(`Cannot make ${NAME}: there are no users`);
  return () =>
    new Map(Array.from(passwords, ([user, password]) => [user, plainPassword(password)]));
}

/** What a function throws may tell which names there are; so it is told to the log alone. */
function checkByFunction(
  users: (user: string, password: string) => unknown,
): PasswordCheck {
  return (user, password, onFault) => {
    const read = (right: unknown): boolean => {
      if (typeof right === "boolean") return right;
      onFault(
        new TypeError(`users() gave ${right === null ? "null" : typeof right}, not a boolean`),
      );
      return false;
    };
    const failed = (error: unknown): boolean => {
      onFault(error);
      return false;
    };
    try {
      const right = users(user, password);
      return right instanceof Promise ? right.then(read).catch(failed) : read(right);
    } catch (error) {
      return failed(error);
    }
  };
}
