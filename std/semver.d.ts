declare module "@std/semver" {
  export interface SemVer {
    major: number;
    minor: number;
    patch: number;
    prerelease?: (string | number)[];
    build?: string[];
  }

  /** One comparison of a range, e.g. `>=1.2.0`. */
  export interface Comparator extends SemVer {
    operator?: "=" | "!=" | ">" | ">=" | "<" | "<=";
  }

  /** Alternatives, each a list of comparisons that must all hold. */
  export type Range = Comparator[][];

  export function canParse(value: string): boolean;
  export function parse(value: string): SemVer;
  export function tryParse(value?: string): SemVer | undefined;
  export function parseRange(value: string): Range;
  export function tryParseRange(value: string): Range | undefined;
  export function format(version: SemVer): string;
  export function formatRange(range: Range): string;
  export function compare(version1: SemVer, version2: SemVer): -1 | 0 | 1;
  export function equals(version1: SemVer, version2: SemVer): boolean;
  export function greaterThan(version1: SemVer, version2: SemVer): boolean;
  export function greaterOrEqual(version1: SemVer, version2: SemVer): boolean;
  export function lessThan(version1: SemVer, version2: SemVer): boolean;
  export function lessOrEqual(version1: SemVer, version2: SemVer): boolean;
  export function satisfies(version: SemVer, range: Range): boolean;
  export function maxSatisfying(versions: SemVer[], range: Range): SemVer | undefined;
  export function minSatisfying(versions: SemVer[], range: Range): SemVer | undefined;
}
