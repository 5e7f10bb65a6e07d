/**
 * Stack traces that show the user's own lines: where an error was thrown in the script and in what it
 * imports, not in the bundle.
 *
 * V8 asks how to show a stack when it is first read, so an error whose stack nobody reads costs nothing,
 * and the source map is parsed when the first such stack is read.
 *
 * @module
 */

import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { fromFileUrl, isAbsolute, join, toFileUrl } from "@std/path";

/** Options of {@linkcode installStackMapping}. */
export interface StackMappingOptions {
  /** The URL under which the bundle was imported. */
  readonly bundleUrl: string;
  /** Reads the bundle's source map, JSON text. Called at most once, when it is first needed. */
  readonly map: () => string;
  /** The script's folder, which the map's sources are relative to. */
  readonly root: string;
  /** What the URLs of mp's own modules begin with; their frames are left out where there are frames of the script. */
  readonly runtimeUrl?: string;
}

/** A place in a file that a person wrote. Lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is used of V8's call sites. */
interface CallSite {
  getFileName(): string | null | undefined;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  getFunctionName(): string | null;
  toString(): string;
}

/** The stack of an error that was thrown in a bundle, or in what a bundle called. */
interface Trace {
  readonly lines: readonly string[];
  /** The places in the user's files, innermost first. */
  readonly positions: readonly Position[];
  /** Whether mp's own code threw it. */
  readonly byRuntime: boolean;
}

type Prepare = (error: Error, sites: CallSite[]) => unknown;

const mappings = new Map<string, StackMapping>();
/** What was found out about errors whose stack was read. */
const traces = new WeakMap<object, Trace>();
let before: Prepare | undefined;

/**
 * Maps the stacks of errors that are thrown in a bundle from now on, besides whatever else is installed.
 *
 * @returns Takes it back.
 */
export function installStackMapping(options: StackMappingOptions): () => void {
  const bundle = fileOf(options.bundleUrl);
  const mapping = new StackMapping(options);
  mappings.set(bundle, mapping);
  const host = Error as unknown as { prepareStackTrace?: Prepare };
  if (host.prepareStackTrace !== prepare) {
    before = host.prepareStackTrace;
    host.prepareStackTrace = prepare;
  }
  return () => {
    if (mappings.get(bundle) === mapping) mappings.delete(bundle);
    if (mappings.size === 0 && host.prepareStackTrace === prepare) host.prepareStackTrace = before;
  };
}

/** The place in the user's files of a place in a bundle; lines and columns count from 1. */
export function mapPosition(
  bundleUrl: string,
  line: number,
  column: number,
): Position | undefined {
  return mappings.get(fileOf(bundleUrl))?.map(line, column);
}

/**
 * Where an error was thrown, in the user's files: in one of their own rather than in a package.
 *
 * @returns `undefined` for what is no error, and for errors that were not thrown in a bundle.
 */
export function positionOf(error: unknown): Position | undefined {
  const positions = traceOf(error)?.positions ?? [];
  return positions.find(({ file }) => !/[\\/]node_modules[\\/]/.test(file)) ?? positions[0];
}

/** Whether mp's own code threw an error because of what a script asked of it. */
export function isThrownByRuntime(error: unknown): boolean {
  return traceOf(error)?.byRuntime ?? false;
}

function traceOf(error: unknown): Trace | undefined {
  if (!(error instanceof Error)) return undefined;
  void error.stack; // has it prepared
  return traces.get(error);
}

class StackMapping {
  #options: StackMappingOptions;
  #map: TraceMap | undefined;
  #runtime: string | undefined;

  constructor(options: StackMappingOptions) {
    this.#options = options;
    this.#runtime = options.runtimeUrl && fileOf(options.runtimeUrl);
  }

  isRuntime(file: string): boolean {
    return this.#runtime !== undefined && file.startsWith(this.#runtime);
  }

  map(line: number, column: number): Position | undefined {
    this.#map ??= new TraceMap(this.#options.map());
    const found = originalPositionFor(this.#map, { line, column: column - 1 });
    if (!found.source) return undefined;
    return {
      file: join(this.#options.root, decodeURIComponent(found.source)),
      line: found.line,
      column: found.column + 1,
    };
  }
}

function prepare(error: Error, sites: CallSite[]): unknown {
  try {
    const trace = mapSites(sites);
    if (trace) {
      traces.set(error, trace);
      return [headOf(error), ...trace.lines].join("\n    at ");
    }
  } catch {
    // a map that cannot be read must not hide the error
  }
  if (before) return before(error, sites);
  return [headOf(error), ...sites.map(plainLine)].join("\n    at ");
}

/** The frames of a stack that has some of a bundle. */
function mapSites(sites: CallSite[]): Trace | undefined {
  const names = sites.map((site) => site.getFileName() ?? "");
  const files = names.map(fileOf);
  if (!files.some((file) => mappings.has(file))) return undefined;
  const lines: string[] = [];
  const positions: Position[] = [];
  for (const [i, site] of sites.entries()) {
    const mapping = mappings.get(files[i]!);
    if (!mapping) {
      if (!isOurs(files[i]!)) lines.push(plainLine(site));
      continue;
    }
    const line = site.getLineNumber() ?? 0;
    const column = site.getColumnNumber() ?? 0;
    const position = mapping.map(line, column);
    // what has no place in a file of the user is the bundler's
    if (!position) continue;
    positions.push(position);
    lines.push(lineOf(site, `${names[i]}:${line}:${column}`, position));
  }
  if (positions.length === 0) return undefined;
  return { lines, positions, byRuntime: isOurs(files[0]!) };
}

/** Whether a file is mp's own, or turns the event loop. */
function isOurs(file: string): boolean {
  return /^(ext:(core\/|deno_node\/(internal\/timers|async_hooks|internal\/async_))|node:async_hooks$)/
    .test(file) ||
    [...mappings.values()].some((mapping) => mapping.isRuntime(file));
}

function lineOf(site: CallSite, place: string, position: Position): string {
  const shown = `${position.file}:${position.line}:${position.column}`;
  // the bundler names the function around a CommonJS module after its file
  const name = site.getFunctionName();
  if (name !== null && position.file.endsWith(name.replace(/^(\.\.\/)+/, "/"))) return shown;
  return String(site).replace(place, () => shown);
}

/** A frame of other code, as Deno shows it where no stack is prepared by anybody. */
function plainLine(site: CallSite): string {
  const name = site.getFileName() ?? "";
  return isAbsolute(name) ? String(site).replace(name, toFileUrl(name).href) : String(site);
}

/** Call sites name files by path in some versions of Deno, and by URL in others. */
function fileOf(name: string): string {
  if (!name.startsWith("file:")) return name;
  // a URL that stands for no path is left as it is
  return URL.canParse(name) ? fromFileUrl(name) : name;
}

/** A message as the script's author would expect it: the bundler writes `(0, import_a.name)` for `name`. */
export function unbundledMessage(message: string): string {
  return message.replace(/\(0 ?, ?import_[\w$]+\.([\w$]+)\)/g, "$1");
}

/** The first line of a stack. */
function headOf(error: unknown): string {
  try {
    return unbundledMessage(Error.prototype.toString.call(error));
  } catch {
    return "Error";
  }
}
