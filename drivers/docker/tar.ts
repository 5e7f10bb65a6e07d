/**
 * Archives in the tar format, as the Engine API takes and gives them.
 *
 * @module
 */

/** A file or folder of an archive. */
export interface TarEntry {
  /** Its path, without a slash at the beginning; folders end with one. */
  readonly path: string;
  /** What is in it: text, bytes, a file of this machine, or an archive. */
  readonly content?: string | Uint8Array | { readonly file: string } | {
    readonly entries: readonly TarEntry[];
  };
  /** Default: 0o644, and 0o755 for folders. */
  readonly mode?: number;
  /** Its owner and group. Default: 0. */
  readonly owner?: number;
}

const BLOCK = 512;
/** What ends an archive. */
const END = 2 * BLOCK;
const PIECE = 1 << 20;
const encoder = new TextEncoder();

/** Writes an archive. The same entries make the same bytes: times are left out. */
export function tarOf(entries: readonly TarEntry[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(write(entries));
}

/** A small archive, as a whole. */
export async function tarBytes(entries: readonly TarEntry[]): Promise<Uint8Array> {
  return new Uint8Array(await new Response(tarOf(entries)).arrayBuffer());
}

async function* write(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const { content = "" } = entry;
    const size = await sizeOf(content);
    yield header(entry, size);
    if (typeof content === "string") yield encoder.encode(content);
    else if (content instanceof Uint8Array) yield content;
    else if ("file" in content) yield* read(content.file, size);
    else yield* write(content.entries);
    yield padding(size);
  }
  yield new Uint8Array(END);
}

async function* read(path: string, size: number): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  for (let left = size; left > 0;) {
    const piece = new Uint8Array(Math.min(left, PIECE));
    const count = await file.read(piece);
    if (count === null) throw new Error(`${path} became shorter while it was read`);
    left -= count;
    yield piece.subarray(0, count);
  }
}

async function sizeOf(content: NonNullable<TarEntry["content"]>): Promise<number> {
  if (typeof content === "string") return encoder.encode(content).length;
  if (content instanceof Uint8Array) return content.length;
  if ("file" in content) return (await Deno.stat(content.file)).size;
  let sum = END;
  for (const { content: inner = "" } of content.entries) {
    sum += BLOCK * (1 + Math.ceil(await sizeOf(inner) / BLOCK));
  }
  return sum;
}

function header({ path, mode, owner = 0 }: TarEntry, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const isFolder = path.endsWith("/");
  const put = (text: string, at: number, length: number) => {
    const bytes = encoder.encode(text);
    if (bytes.length > length) {
      throw new RangeError(`Cannot archive "${path}": ${text} is too long`);
    }
    block.set(bytes, at);
  };
  const octal = (value: number, at: number, length: number) =>
    put(value.toString(8).padStart(length - 1, "0"), at, length - 1);
  const [prefix, name] = splitPath(path);
  put(name, 0, 100);
  octal(mode ?? (isFolder ? 0o755 : 0o644), 100, 8);
  octal(owner, 108, 8);
  octal(owner, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  put("        ", 148, 8);
  put(isFolder ? "5" : "0", 156, 1);
  put("ustar\u000000", 257, 8);
  put(prefix, 345, 155);
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 7);
  return block;
}

/** Prefix and name, since a name has room for 100 bytes. */
function splitPath(path: string): [string, string] {
  if (encoder.encode(path).length <= 100) return ["", path];
  const at = path.indexOf("/", path.length - 101);
  return [path.slice(0, at), path.slice(at + 1)];
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - size % BLOCK) % BLOCK);
}

/** The files of an archive by path, as texts. */
export function filesOf(archive: Uint8Array): Map<string, string> {
  const files = new Map<string, string>();
  const decoder = new TextDecoder();
  const text = (at: number, length: number) => {
    const end = archive.indexOf(0, at);
    return decoder.decode(archive.subarray(at, end < 0 || end > at + length ? at + length : end));
  };
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const size = parseInt(text(at + 124, 12).trim() || "0", 8);
    const kind = String.fromCharCode(archive[at + 156]!);
    const prefix = text(at + 257, 5) === "ustar" ? text(at + 345, 155) : "";
    const path = `${prefix === "" ? "" : `${prefix}/`}${text(at, 100)}`;
    if (kind === "0" || kind === "\0") {
      files.set(path, decoder.decode(archive.subarray(at + BLOCK, at + BLOCK + size)));
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
