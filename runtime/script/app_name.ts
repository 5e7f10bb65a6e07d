/**
 * The name of the app that a script makes.
 *
 * @module
 */

import { basename, dirname, extname } from "@std/path";
import { MpError } from "../errors.ts";
import { isDnsLabel } from "../topology/names.ts";

/** What {@linkcode appName} chooses from, in this order. */
export interface AppNameOptions {
  /** `--name`. */
  readonly flag?: string;
  /** What the script gave to `mp.app()`. */
  readonly declared?: string;
  /** The script's path, absolute. */
  readonly script: string;
}

/** File names that say nothing about what is in the file. */
const GENERAL = ["topology", "main", "index"];

/**
 * The name of an app: the flag's, else the script's own, else the file's (the folder's, for
 * `topology.ts`, `main.ts` and `index.ts`) with everything replaced that a name cannot have.
 *
 * @returns A DNS label.
 * @throws {MpError} `usage` for a bad flag, `topology_invalid` for a bad name in the script.
 */
export function appName(options: AppNameOptions): string {
  const { flag, declared, script } = options;
  if (flag !== undefined) return checkName(flag, "usage");
  if (declared !== undefined) return checkName(declared, "topology_invalid");
  const file = basename(script, extname(script));
  const name = toLabel(file);
  if (!GENERAL.includes(name)) return name || "app";
  return toLabel(basename(dirname(script))) || name;
}

function checkName(name: string, code: "usage" | "topology_invalid"): string {
  if (isDnsLabel(name)) return name;
  throw new MpError(
    code,
    `Cannot name the app ${JSON.stringify(name)}: the name is not a DNS label`,
    { next: "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or a digit" },
  );
}

function toLabel(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-")
    .slice(0, 64).replace(/^-+/, "").slice(0, 63).replace(/-+$/, "");
}
