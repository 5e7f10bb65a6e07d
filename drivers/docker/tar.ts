/**
 * Archives in the tar format, as the Engine API takes and gives them.
 *
 * @module
 */

/** A file or folder of an archive. */
export interface TarEntry {
  /** Its path, without a slash at the beginning; folders end with one. */
  readonly path: string;
  /** What is in it: text, bytes, or a file of this machine. */
  readonly content?: string | Uint8Array | { readonly file: string };
  /** Default: 0o644, and 0o755 for folders. */
  readonly mode?: number;
  /** Its owner and group. Default: 0. */
  readonly owner?: number;
}

const BLOCK = 512;
const encoder = new TextEncoder();

/** Writes an archive. The same entries make the same bytes: times are left out. */
export function tarOf(entries: readonly TarEntry[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(write(entries));
}

/** An archive of texts, as a whole. */
export function tarBytes(entries: readonly TarEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const { content = "" } = entry;
    if (typeof content === "object" && "file" in content) throw new TypeError("files are streamed");
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    parts.push(header(entry, bytes.length), bytes, padding(bytes.length));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function* write(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const { content = "" } = entry;
    if (typeof content === "object" && "file" in content) {
      using file = await Deno.open(content.file);
      const { size } = await file.stat();
      yield header(entry, size);
      let left = size;
      while (left > 0) {
        const piece = new Uint8Array(Math.min(left, 1 << 20));
        const count = await file.read(piece);
        if (count === null) throw new Error(`${content.file} became shorter while it was read`);
        left -= count;
        yield piece.subarray(0, count);
      }
      yield padding(size);
    } else {
      const bytes = typeof content === "string" ? encoder.encode(content) : content;
      yield header(entry, bytes.length);
      yield bytes;
      yield padding(bytes.length);
    }
  }
  yield new Uint8Array(2 * BLOCK);
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
