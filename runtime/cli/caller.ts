/**
 * Who calls, as the command line says it. What is secret in it is in no message.
 *
 * @module
 */

import { isToken } from "../auth/authorization.ts";
import { hasControls } from "../auth/user_name.ts";
import { usage } from "./option.ts";

/** What says who calls. */
export interface CallerOptions {
  /** `NAME:PASSWORD`. */
  readonly user: string | undefined;
  readonly token: string | undefined;
}

/** Where a call goes, and who makes it. */
export interface CallerTarget {
  /** Without a name and a password. */
  readonly url: string;
  /** The header `Authorization`. */
  readonly authorization: string | undefined;
}

/**
 * Reads who calls.
 *
 * @param url As it was given; it may hold a name and a password.
 * @throws {MpError} `usage`.
 */
export function callerTarget(url: string, { user, token }: CallerOptions): CallerTarget {
  const { href, userInfo } = takeUserInfo(url);
  const given = [user, token, userInfo].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw usage("Cannot tell who calls: it is said more than once", {
      next: "Give one of --user (or MP_USER), --token (or MP_TOKEN), and a name in --url",
    });
  }
  if (token !== undefined) return { url: href, authorization: bearer(token) };
  const pair = user ?? userInfo;
  return { url: href, authorization: pair === undefined ? undefined : basic(pair) };
}

function basic(pair: string): string {
  if (!/^[^:]+:/.test(pair)) {
    throw usage("Cannot read --user: it is not NAME:PASSWORD");
  }
  if (hasControls(pair)) {
    throw usage("Cannot read --user: it holds a control character");
  }
  const bytes = new TextEncoder().encode(pair);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}

function bearer(token: string): string {
  if (isToken(token)) return `Bearer ${token}`;
  throw usage("Cannot read --token: it holds a character that no token has");
}

function takeUserInfo(given: string): { href: string; userInfo: string | undefined } {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  const url = URL.parse(scheme === undefined ? `http://${given}` : given);
  const shown = given.replace(/^(https?:\/\/)?.*@/s, "$1…@");
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    throw usage(
      `Cannot read --url ${JSON.stringify(shown)}: it begins neither with http:// nor https://`,
      {
        next: "Give one such as http://127.0.0.1:3000",
      },
    );
  }
  if (!url?.hostname) {
    throw usage(`Cannot read --url ${JSON.stringify(shown)}: it is not a URL`, {
      next: "Give one such as http://127.0.0.1:3000",
    });
  }
  const { username, password } = url;
  url.username = url.password = "";
  const isThere = username !== "" || password !== "";
  return { href: url.href, userInfo: isThere ? decode(`${username}:${password}`) : undefined };
}

function decode(userInfo: string): string {
  try {
    return decodeURIComponent(userInfo);
  } catch {
    throw usage("Cannot read --url: its name or password has a % that escapes nothing", {
      next: "Write % as %25",
    });
  }
}
