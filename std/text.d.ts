declare module "@std/text/closest-string" {
  /** The word nearest to `givenWord`. Throws a `TypeError` when there are no words. */
  export function closestString(
    givenWord: string,
    possibleWords: readonly string[],
    options?: {
      caseSensitive?: boolean;
      compareFn?: (a: string, b: string) => number;
    },
  ): string;
}

declare module "@std/text/levenshtein-distance" {
  /** How many insertions, deletions and substitutions lie between two words. */
  export function levenshteinDistance(str1: string, str2: string): number;
}
