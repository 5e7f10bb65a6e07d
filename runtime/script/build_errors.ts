/**
 * What esbuild found wrong, as our own errors.
 *
 * @module
 */

import { join } from "node:path";
import type { Location, Message } from "esbuild";
import { type Code, MpError } from "../errors.ts";
import { showPath } from "./show_path.ts";

/** What a resolver adds to an error of its own, as esbuild's `detail`. */
export interface ResolveDetail {
  readonly code: Code;
  readonly next: string;
}

const MOST = 10;
/** A terminal must not be told anything by a broken file. */
const UNSEEN = /(?!\t)\p{Cc}/gu;
const STRICT = " cannot be used: scripts are in strict mode";

/**
 * All errors of one run of esbuild as one: the first with its place, the others after it.
 *
 * @param messages As esbuild gives them; at least one.
 * @param folder What their paths are relative to.
 * @param script The script's path, for errors without a place.
 */
export function buildError(messages: readonly Message[], folder: string, script: string): MpError {
  const all = messages.map((message) => describe(message, folder, script));
  const first = all[0]!;
  const others = all.slice(1, MOST).map(({ where, action, text, excerpt }) =>
    `${where}: ${action.startsWith("Cannot read") ? "" : `${action}: `}${text}${excerpt}`
  );
  if (all.length > MOST) others.push(`and ${all.length - MOST} more`);
  const message = [`${first.action}: ${first.text}${first.excerpt}`, ...others].join("\n\n");
  return new MpError(first.code, message, { where: first.where, next: first.next });
}

interface Described {
  readonly code: Code;
  readonly action: string;
  readonly text: string;
  readonly excerpt: string;
  readonly where: string;
  readonly next: string;
}

function describe(message: Message, folder: string, script: string): Described {
  const { location } = message;
  const file = location ? showPath(join(folder, location.file)) : showPath(script);
  const column = location ? columnOf(location) : 0;
  return {
    ...explain(message, file),
    excerpt: location ? excerptOf(location, column) : "",
    where: location ? `${file}:${location.line}:${column + 1}` : file,
  };
}

type Explained = Pick<Described, "code" | "action" | "text" | "next">;

function explain(message: Message, file: string): Explained {
  const detail = message.detail as ResolveDetail | undefined;
  if (typeof detail?.code === "string") {
    const [, action = message.text, text = ""] = /^(.*?): (.*)$/s.exec(message.text) ?? [];
    return { code: detail.code, action, text, next: detail.next };
  }
  const unresolved = /^Could not resolve "(.*)"/.exec(message.text);
  if (unresolved) return explainUnresolved(unresolved[1]!, message);
  const noLoader = /^No loader is configured for "(.*)" files: (.*)$/.exec(message.text);
  if (noLoader) {
    return {
      code: "import_unresolved",
      action: `Cannot import "${noLoader[2]}"`,
      text: `${noLoader[1]} files cannot be part of a script`,
      next: "Read the file when the script runs, with Deno.readFile for example",
    };
  }
  const noExport = /^No matching export in "(.*)" for import "(.*)"$/.exec(message.text);
  if (noExport) {
    return {
      code: "import_unresolved",
      action: `Cannot import "${noExport[2]}"`,
      text: `"${noExport[1]}" does not export it`,
      next: "Correct the name, or export it there",
    };
  }
  const isJsx = /JSX syntax/.test(message.text);
  return {
    code: "script_invalid",
    action: `Cannot read "${file}"`,
    text: lowerFirst(message.text)
      .replace(/ cannot be used with the "esm" output format due to strict mode$/, STRICT),
    next: isJsx ? "Write scripts without JSX" : "Correct the syntax",
  };
}

function explainUnresolved(specifier: string, message: Message): Explained {
  const isFile = /^[./]|^[A-Za-z]:[\\/]/.test(specifier);
  const isOriginal = isFile && /metaparticle[^/]*$/.test(specifier);
  // esbuild knows of packages that do not export what is asked for, and of near names
  const note = message.notes.map((note) => note.text).find((text) =>
    /not exported|did you mean/i.test(text)
  );
  const name = /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[0] ?? specifier;
  return {
    code: "import_unresolved",
    action: `Cannot resolve "${specifier}"`,
    text: note
      ? lowerFirst(note.replace(/:$/, ""))
      : isFile
      ? "there is no such file"
      : "it is in no node_modules folder near the script and in no import map",
    next: isOriginal
      ? `Write "metaparticle" for it, which needs no file`
      : isFile
      ? "Correct the path, or create the file"
      : `Run npm install ${name} in the script's folder`,
  };
}

/** The line in question with a mark under the place. */
function excerptOf(location: Location, column: number): string {
  const { line, lineText } = location;
  const start = column > 100 ? column - 60 : 0;
  const shown = lineText.slice(start, start + 120).trimEnd().replace(UNSEEN, "\uFFFD");
  const indent = shown.slice(0, column - start).replace(/[^\t]/g, " ");
  const gutter = " ".repeat(String(line).length);
  return `\n  ${line} | ${shown}\n  ${gutter} | ${indent}^`;
}

/** esbuild counts bytes of UTF-8, people count characters. */
function columnOf(location: Location): number {
  const bytes = new TextEncoder().encode(location.lineText);
  return new TextDecoder().decode(bytes.subarray(0, location.column)).length;
}

function lowerFirst(text: string): string {
  // names and code at the beginning stay as they are
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
