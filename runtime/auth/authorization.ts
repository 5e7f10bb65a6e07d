/**
 * Reads the header `Authorization`, of which nothing is trusted. Pure.
 *
 * @module
 */

import { hasControls, userNameProblem } from "./user_name.ts";

/** What a caller claims. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** The longest header that is read, in characters. */
const LONGEST = 8192;

const BASIC = /^basic +([a-z0-9+/]+={0,2})$/i;
const BEARER = /^bearer +([a-z0-9._~+/-]+=*)$/i;
const TOKEN = new RegExp(BEARER.source.replace("bearer +", ""), "i");

/**
 * The name and password of `Basic` (RFC 7617), in UTF-8.
 *
 * @returns `undefined` for anything else. Of several headers, which arrive joined by a comma, none is taken.
 */
export function readBasic(header: string | undefined): Credentials | undefined {
  const encoded = read(header, BASIC);
  const text = encoded === undefined ? undefined : decode(encoded);
  const colon = text?.indexOf(":") ?? -1;
  if (text === undefined || colon < 0) return undefined;
  const user = text.slice(0, colon);
  const password = text.slice(colon + 1);
  if (userNameProblem(user) !== undefined || hasControls(password)) return undefined;
  return { user, password };
}

/** The token of `Bearer` (RFC 6750); `undefined` for anything else. */
export function readBearer(header: string | undefined): string | undefined {
  return read(header, BEARER);
}

/** Whether a text can be sent as a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text) && "Bearer ".length + text.length <= LONGEST;
}

function read(header: string | undefined, form: RegExp): string | undefined {
  if (header === undefined || header.length > LONGEST) return undefined;
  return form.exec(header)?.[1];
}

function decode(encoded: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // neither base64 nor UTF-8
  }
}
