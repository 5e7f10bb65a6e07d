/**
 * Makes one executable of the program: `deno task compile [--target TARGET] [--output FILE]`.
 *
 * `deno compile` appends the program to a base, a Deno without its tools. `DENORT_BIN` names one; otherwise
 * Deno downloads it.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, join, resolve } from "@std/path";

const root = fromFileUrl(new URL("../", import.meta.url));

const USAGE = `Usage: deno task compile [--target TARGET] [--output FILE]

  --target TARGET  Another system's: x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu,
                   x86_64-apple-darwin, aarch64-apple-darwin or x86_64-pc-windows-msvc
  --output FILE    Default: dist/mp, or dist/mp-TARGET

DENORT_BIN names the base executable; without it, Deno downloads it.`;

/** What Deno says of a base that it could not download. */
const NO_BASE = /Setting up base binary|denort/i;

function parse(args: readonly string[]) {
  const unknown: string[] = [];
  const options = parseArgs(args, {
    string: ["target", "output"],
    boolean: ["help"],
    unknown(arg) {
      unknown.push(arg);
      return false;
    },
  });
  return { ...options, unknown };
}

async function main(): Promise<number> {
  const { target, output, help, unknown } = parse(Deno.args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  if (unknown.length > 0) {
    console.error(`Cannot compile: unknown argument "${unknown[0]}"\n\n${USAGE}`);
    return 2;
  }
  const base = Deno.env.get("DENORT_BIN");
  if (base && !await Deno.stat(base).then(({ isFile }) => isFile, () => false)) {
    console.error(`Cannot compile: DENORT_BIN is "${base}", and there is no such file`);
    return 2;
  }
  const file = output
    ? resolve(Deno.env.get("INIT_CWD") || ".", output)
    : join(root, "dist", target ? `mp-${target}` : "mp");
  await Deno.mkdir(dirname(file), { recursive: true });
  const args = ["compile", "-A", "--no-check", "--exclude-unused-npm", "--output", file];
  if (target) args.push("--target", target);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "main.ts"],
    cwd: root,
    stdout: "inherit",
  }).output();
  const said = new TextDecoder().decode(stderr);
  if (success) {
    console.error(`Compiled ${file}`);
    return 0;
  }
  console.error(said.trimEnd());
  if (!base && NO_BASE.test(said)) {
    console.error(
      `\nCannot compile: the base executable${
        target ? ` of ${target}` : ""
      } cannot be downloaded\n` +
        "Set DENORT_BIN to the path of a denort of this version of Deno, " +
        `from the release v${Deno.version.deno} of github.com/denoland/deno`,
    );
  }
  return 1;
}

Deno.exit(await main());
