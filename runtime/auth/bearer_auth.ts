/**
 * `mp.bearerAuth()`: callers say who they are by a token.
 *
 * @module
 */

import type { AnyTarget } from "../topology/target.ts";
import { checkTarget } from "../topology/topology.ts";
import { isToken, readBearer } from "./authorization.ts";
import { keyedDigestText, randomKey } from "./digest.ts";
import { entriesOf } from "./entries.ts";
import { type Identify, withGuard } from "./guard.ts";
import { checkRealm } from "./realm.ts";
import { RightOnes } from "./right_ones.ts";
import { userNameProblem } from "./user_name.ts";

/** Whose token it is; `undefined` for nobody's. */
export type VerifyToken = (token: string) => string | undefined | Promise<string | undefined>;

/** Options of {@linkcode bearerAuth}: either `tokens` or `verify`. */
export interface BearerAuthOptions {
  /** Users by token. */
  tokens?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
  /** Tells whose token it is. */
  verify?: VerifyToken;
  /** What callers are told they need a token for. Default: the service's name. */
  realm?: string;
}

const NAME = "mp.bearerAuth()";

/**
 * Lets only callers with a token call a service: `Authorization: Bearer TOKEN`. The handlers find the
 * user in `context.user`.
 *
 * @param target What the service is made of: a handler or a pattern.
 * @param options Whose tokens there are.
 * @returns A target of the same type.
 * @throws {TypeError} Unless there are either tokens or a function.
 *
 * @example
 * ```ts
 * import * as mp from "@metaparticle/mp";
 *
 * const whoAmI = (_request: unknown, { user }: mp.Context) => user;
 * const tokens = { "0a8ff61c-ci": "ci" };
 * mp.service("who-am-i", mp.bearerAuth(whoAmI, { tokens }), { expose: true });
 * ```
 */
export function bearerAuth<T extends AnyTarget>(target: T, options: BearerAuthOptions): T {
  checkTarget(NAME, target);
  const { tokens, verify, realm } = options ?? {};
  checkRealm(NAME, realm);
  if ((tokens === undefined) === (verify === undefined)) {
    throw new TypeError(`Cannot make ${NAME}: give it either tokens or verify`);
  }
  const open = tokens === undefined ? identifyByFunction(verify) : identifyByMap(tokens);
  return withGuard(target, { name: NAME, scheme: "Bearer", realm, open });
}

function identifyByMap(tokens: BearerAuthOptions["tokens"] & object): () => Identify {
  if (typeof tokens !== "object" || tokens === null) {
    throw new TypeError(
      `Cannot make ${NAME}: its tokens are ${
        tokens === null ? "null" : `a ${typeof tokens}`
      }, not users by token`,
    );
  }
  const users = new Map<string, string>();
  for (const [token, user] of entriesOf(tokens)) {
    const problem = userNameProblem(user);
    if (problem !== undefined) throw new TypeError(`Cannot take the user of a token: ${problem}`);
    if (!isToken(token)) {
      throw new TypeError(
        `Cannot take a token of the user ${JSON.stringify(user)}: ` +
          "it is not made of letters, digits and -._~+/ with = at its end",
      );
    }
    users.set(token, user as string);
  }
  if (users.size === 0) throw new TypeError(`Cannot make ${NAME}: there are no tokens`);
  return () => {
    // looked up by their digests, so that how long it takes tells nothing of how they begin
    const key = randomKey();
    const byDigest = new Map(
      Array.from(users, ([token, user]) => [keyedDigestText(key, token), user]),
    );
    const right = new RightOnes<string>();
    return (authorization) => {
      const token = readBearer(authorization);
      if (token === undefined) return undefined;
      const known = right.get(token);
      if (known !== undefined) return known;
      const user = byDigest.get(keyedDigestText(key, token));
      if (user !== undefined) right.add(token, user);
      return user;
    };
  };
}

function identifyByFunction(verify: unknown): () => Identify {
  if (typeof verify !== "function") {
    throw new TypeError(
      `Cannot make ${NAME}: verify is ${verify === null ? "null" : typeof verify}, not a function`,
    );
  }
  return () => (authorization, onFault) => {
    const token = readBearer(authorization);
    if (token === undefined) return undefined;
    const read = (user: unknown): string | undefined => {
      if (user === undefined || user === null) return undefined;
      const problem = userNameProblem(user);
      if (problem === undefined) return user as string;
      onFault(new TypeError(`verify() gave a user that cannot be one: ${problem}`));
    };
    const failed = (error: unknown) => {
      onFault(error);
      return undefined;
    };
    try {
      const user = verify(token);
      return user instanceof Promise ? user.then(read).catch(failed) : read(user);
    } catch (error) {
      return failed(error);
    }
  };
}
