/** Headers by which callers say who they are. @module */

/** A text, as UTF-8, in base64. */
export function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** `Authorization` for `name:password`. */
export function basic(pair: string): string {
  return `Basic ${base64(pair)}`;
}
