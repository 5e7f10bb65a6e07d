/**
 * The command line of a topology script that is run by itself.
 *
 * @module
 */

/** Commands that take the script as their first argument, by the word that asks for them. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  run: ["run"],
  plan: ["plan"],
  print: ["plan", "--json"],
  export: ["export"],
  logs: ["logs"],
  delete: ["delete"],
};

/**
 * What `deno run -A topology.ts …` stands for: `--driver=docker` is `mp run topology.ts --driver=docker`,
 * `delete` is `mp delete topology.ts`.
 *
 * @param script The path of the script.
 * @param args What stands after it.
 * @returns What would stand after `mp`.
 */
export function directLine(script: string, args: readonly string[]): string[] {
  const dashes = args.indexOf("--");
  const end = dashes < 0 ? args.length : dashes;
  const at = args.findIndex((arg, i) => i < end && Object.hasOwn(WORDS, arg));
  if (at < 0) return ["run", script, ...args];
  return [...WORDS[args[at]!]!, script, ...args.slice(0, at), ...args.slice(at + 1)];
}
