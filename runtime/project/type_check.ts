/**
 * `--check`: the types of a script, checked by Deno, or by the TypeScript of its project.
 *
 * @module
 */

import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { stripAnsiCode } from "@std/fmt/colors";
import { messageOf, MpError } from "../errors.ts";
import { checkScript } from "../script/check_script.ts";
import type { ImportMap } from "../script/import_map.ts";
import { scriptConfig } from "../script/script_config.ts";
import { showPath } from "../script/show_path.ts";
import { declarations } from "./declarations.ts";
import { COMPILER_OPTIONS } from "./starter_files.ts";
import { makeTemporaryFolder } from "../user_folders.ts";

/** Options of {@linkcode typeCheck}. */
export interface TypeCheckOptions {
  readonly signal?: AbortSignal;
  /** Reads a variable of the environment. */
  readonly env?: (name: string) => string | undefined;
}

/** What checks types. */
interface Checker {
  readonly kind: "deno" | "tsc";
  readonly program: string;
}

const WINDOWS = Deno.build.os === "windows";

/**
 * Checks the types of a script and of what it imports.
 *
 * @returns Whether they were checked: neither Deno nor TypeScript may be at hand.
 * @throws {MpError} `script_invalid` with what is wrong, `launch_failed` when they could not be checked.
 */
export async function typeCheck(
  script: string,
  { signal, env = (name) => Deno.env.get(name) }: TypeCheckOptions = {},
): Promise<boolean> {
  const path = checkScript(script);
  const checker = findChecker(dirname(path), env("PATH") ?? "");
  if (checker === undefined) return false;
  const folder = await Deno.realPath(makeTemporaryFolder("mp-check-"));
  try {
    for (const [name, text] of Object.entries(await declarations())) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const args = checker.kind === "deno"
      ? await denoArguments(path, folder)
      : await tscArguments(path, folder);
    await run(checker, args, { path, signal });
    return true;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function findChecker(folder: string, path: string): Checker | undefined {
  const folders = path.split(delimiter).filter((one) => one !== "");
  const find = (name: string, at: readonly string[]) =>
    at.map((one) => join(one, name)).find(isFile);
  const deno = Deno.build.standalone
    ? find(WINDOWS ? "deno.exe" : "deno", folders)
    : Deno.execPath();
  if (deno) return { kind: "deno", program: deno };
  const tsc = find(WINDOWS ? "tsc.cmd" : "tsc", [...binFolders(folder), ...folders]);
  return tsc ? { kind: "tsc", program: tsc } : undefined;
}

function binFolders(folder: string): string[] {
  const above = dirname(folder);
  const own = join(folder, "node_modules", ".bin");
  return above === folder ? [own] : [own, ...binFolders(above)];
}

/** The project's own configuration counts, with the names of the API added to its import map. */
async function denoArguments(script: string, folder: string): Promise<string[]> {
  const at = (name: string) => pathToFileURL(join(folder, name)).href;
  const api = at("mod.d.ts");
  const { importMap } = scriptConfig(dirname(script));
  const map = {
    imports: {
      "@metaparticle/mp": api,
      "@metaparticle/mp/testing": at("testing.d.ts"),
      mp: api,
      "jsr:@metaparticle/mp": api,
      "npm:@metaparticle/mp": api,
      ...entries(importMap.imports),
    },
    scopes: Object.fromEntries(importMap.scopes.map(([prefix, own]) => [prefix, entries(own)])),
  };
  const file = join(folder, "import_map.json");
  await Deno.writeTextFile(file, JSON.stringify(map));
  return ["check", "--quiet", "--no-lock", `--import-map=${file}`, script];
}

/** What a person wrote in an import map, without what follows from it. */
function entries(own: ImportMap["imports"]): Record<string, string> {
  return Object.fromEntries(
    own.filter(([key, address]) => !(key.endsWith("/") && /^(npm|jsr):[^/]/.test(address))),
  );
}

async function tscArguments(script: string, folder: string): Promise<string[]> {
  const file = join(folder, "tsconfig.json");
  const types = join(dirname(script), "node_modules", "@types");
  const node = isFile(join(types, "node", "package.json"));
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      compilerOptions: {
        ...COMPILER_OPTIONS,
        ...(node && { typeRoots: [types], types: ["node"] }),
      },
      files: [script, join(folder, "mp.d.ts"), join(folder, "deno.d.ts")],
    }),
  );
  return ["--project", file, "--pretty", "false"];
}

async function run(
  { kind, program }: Checker,
  args: readonly string[],
  { path, signal }: { readonly path: string; readonly signal?: AbortSignal },
): Promise<void> {
  const shown = showPath(path);
  let said: string;
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      cwd: dirname(path),
      env: { NO_COLOR: "1" },
      signal,
    }).output();
    if (success) return;
    const decoder = new TextDecoder();
    said = stripAnsiCode(`${decoder.decode(stdout)}\n${decoder.decode(stderr)}`)
      .split(/\n\s*error: Type checking failed|\n\nStack backtrace:/)[0]!.trim();
  } catch (error) {
    said = messageOf(error);
  }
  signal?.throwIfAborted();
  if (/\bTS\d+\b/.test(said)) {
    throw new MpError(
      "script_invalid",
      `Cannot accept "${shown}": its types are wrong\n\n${said}`,
      {
        where: shown,
        next: "Correct the types, or run it without --check",
      },
    );
  }
  throw new MpError("launch_failed", `Cannot check the types of "${shown}" by ${kind}: ${said}`, {
    next: "Run it without --check",
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
