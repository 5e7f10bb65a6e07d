/**
 * Import maps, as in the HTML standard and as Deno extends them. Pure.
 *
 * @module
 */

import { MpError } from "../errors.ts";

/** The part of an import map that resolves. */
export interface ImportMapSource {
  readonly imports?: Readonly<Record<string, string>>;
  readonly scopes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

type Entries = readonly (readonly [key: string, address: string])[];

/** A parsed import map. */
export interface ImportMap {
  /** Longest key first. */
  readonly imports: Entries;
  /** Longest prefix first. */
  readonly scopes: readonly (readonly [prefix: string, imports: Entries])[];
}

/**
 * Parses an import map.
 *
 * @param source What the file holds.
 * @param base The URL of the file, which relative keys and addresses are relative to.
 * @throws {MpError} `script_invalid` when it is not an import map.
 */
export function parseImportMap(source: ImportMapSource, base: string): ImportMap {
  const { imports = {}, scopes = {} } = source;
  if (!isObject(imports)) throw invalid(base, `"imports" is not an object`);
  if (!isObject(scopes)) throw invalid(base, `"scopes" is not an object`);
  return {
    imports: parseEntries(imports, base),
    scopes: byLength(
      Object.entries(scopes).map(([prefix, entries]) => {
        if (!isObject(entries)) throw invalid(base, `scope "${prefix}" is not an object`);
        return [new URL(prefix, base).href, parseEntries(entries, base)] as const;
      }),
    ),
  };
}

/** Several import maps as one; where two have the same key, the first one's address counts. */
export function mergeImportMaps(maps: readonly ImportMap[]): ImportMap {
  return {
    imports: byLength(maps.flatMap((map) => map.imports)),
    scopes: byLength(maps.flatMap((map) => map.scopes)),
  };
}

/**
 * What an import map says about a specifier.
 *
 * @param referrer The URL of the module that imports.
 * @returns The mapped specifier, or `undefined` when the map does not mention it.
 */
export function resolveImport(
  map: ImportMap,
  specifier: string,
  referrer: string,
): string | undefined {
  const key = urlLike(specifier, referrer) ?? specifier;
  for (const [prefix, entries] of map.scopes) {
    if (prefix !== referrer && !(prefix.endsWith("/") && referrer.startsWith(prefix))) continue;
    const found = match(entries, key);
    if (found !== undefined) return found;
  }
  return match(map.imports, key);
}

/** Whether a map also maps relative specifiers or URLs, not only bare names. */
export function mapsUrls(map: ImportMap): boolean {
  const isUrl = ([key]: readonly [string, string]) => /^[a-z][a-z0-9+.-]*:/i.test(key);
  return map.imports.some(isUrl) || map.scopes.some(([, entries]) => entries.some(isUrl));
}

function parseEntries(entries: Readonly<Record<string, string>>, base: string): Entries {
  const parsed: (readonly [string, string])[] = [];
  for (const [key, value] of Object.entries(entries)) {
    if (typeof value !== "string") throw invalid(base, `"${key}" is mapped to no string`);
    const address = urlLike(value, base) ?? value;
    if (key.endsWith("/") && !address.endsWith("/")) {
      throw invalid(base, `"${key}" ends with "/" but "${value}" does not`);
    }
    parsed.push([urlLike(key, base) ?? key, address]);
    // as in Deno, a package's name also maps the files in the package
    if (/^(npm|jsr):/.test(address) && !key.endsWith("/") && !Object.hasOwn(entries, `${key}/`)) {
      parsed.push([`${key}/`, `${address}/`]);
    }
  }
  return byLength(parsed);
}

function match(entries: Entries, key: string): string | undefined {
  for (const [from, to] of entries) {
    if (from === key) return to;
    if (!from.endsWith("/") || !key.startsWith(from)) continue;
    const rest = key.slice(from.length);
    // "npm:name@1/" is no base that URL could resolve against
    return /^[a-z]+:\/\//.test(to) ? new URL(rest, to).href : to + rest;
  }
  return undefined;
}

function urlLike(specifier: string, base: string): string | undefined {
  if (!/^(\.{0,2}\/|[a-z][a-z0-9+.-]*:)/i.test(specifier)) return undefined;
  // "npm:" and the like are kept as they are written
  if (!/^(\.{0,2}\/|(https?|file):)/i.test(specifier)) return specifier;
  return URL.parse(specifier, base)?.href;
}

function byLength<T extends readonly [string, unknown]>(entries: T[]): T[] {
  return entries.sort(([a], [b]) => b.length - a.length);
}

function isObject(value: unknown): value is Record<string, never> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(base: string, why: string): MpError {
  return new MpError("script_invalid", `Cannot read the import map: ${why}`, {
    where: base.startsWith("file:") ? decodeURIComponent(new URL(base).pathname) : base,
    next: "Correct the import map, or remove it",
  });
}
