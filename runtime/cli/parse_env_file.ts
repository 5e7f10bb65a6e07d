/**
 * The files that `--env-file` names. Pure.
 *
 * @module
 */

/** One `NAME=VALUE`, to the end of its line, or of its quotes. */
const ASSIGNMENT =
  /^[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*=[^\S\n]*(?:'([^']*)'|"((?:\\.|[^"\\])*)"|`([^`]*)`|([^\n]*?))[^\S\n]*(?:#[^\n]*)?$/gm;

/**
 * Parses variables as Node and Docker Compose do: `NAME=value`, `export NAME=value`, comments, and quotes
 * over several lines. In double quotes `\n` is a line break.
 *
 * @param text What the file holds.
 * @returns The variables; of those named twice, the last.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const variables: [string, string][] = [];
  for (const match of withLineFeeds(text).matchAll(ASSIGNMENT)) {
    const [, name, single, double, back, bare] = match;
    const value = single ?? double?.replaceAll("\\n", "\n").replaceAll('\\"', '"') ?? back ??
      bare!.trim();
    variables.push([name!, value]);
  }
  return Object.fromEntries(variables);
}

/**
 * Looks for a line that {@linkcode parseEnvFile} passes over, though it is neither empty nor a comment.
 *
 * @returns The number of the first, counted from 1.
 */
export function findEnvFileFault(text: string): number | undefined {
  const rest = withLineFeeds(text).replace(ASSIGNMENT, (found) => found.replace(/[^\n]+/g, ""));
  const index = rest.split("\n").findIndex((line) => !/^\s*(#.*)?$/.test(line));
  return index < 0 ? undefined : index + 1;
}

function withLineFeeds(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
