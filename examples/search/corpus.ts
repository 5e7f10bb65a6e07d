/**
 * The text files of a folder.
 *
 * @module
 */

/** Hidden files and folders, and other people's code. */
const LEFT_OUT = /^\.|^node_modules$/;

/** How much of a file is read. */
const MOST_BYTES = 1024 * 1024;

/** How much of a file is looked at to tell text from anything else, as git does. */
const LOOKED_AT = 8000;

/** What became of a file. */
export type ReadResult =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "binary" }
  | { readonly kind: "unreadable"; readonly why: string };

/**
 * Checks that a folder can be searched.
 *
 * @throws {Error} When there is no such folder, or it is none, or it may not be read.
 */
export function checkFolder(folder: string): void {
  const why = (() => {
    try {
      return Deno.statSync(folder).isDirectory ? undefined : "it is not a folder";
    } catch (error) {
      return error instanceof Deno.errors.NotFound ? "there is no such folder" : reasonOf(error);
    }
  })();
  if (why) {
    throw new Error(`Cannot search ${JSON.stringify(folder)}: ${why} (seen from "${Deno.cwd()}")`);
  }
}

/**
 * The files under a folder, by their paths in it. Links are not followed, so that there are no circles.
 *
 * @throws {Error} When the folder itself cannot be read; what cannot be read below it is left out.
 */
export async function* listFiles(folder: string, inside = ""): AsyncGenerator<string> {
  try {
    for await (const { name, isFile, isDirectory } of Deno.readDir(`${folder}/${inside}`)) {
      if (LEFT_OUT.test(name)) continue;
      if (isFile) yield inside + name;
      else if (isDirectory) yield* listFiles(folder, `${inside}${name}/`);
    }
  } catch (error) {
    const text = `Cannot read ${JSON.stringify(inside || folder)}: ${reasonOf(error)}`;
    if (inside === "") throw new Error(text);
    console.warn(text);
  }
}

/** Reads the beginning of a file, as far as it is text. */
export async function readText(path: string): Promise<ReadResult> {
  try {
    using file = await Deno.open(path);
    const bytes = await readStart(file);
    const encoding = encodingOf(bytes);
    if (encoding === undefined) return { kind: "binary" };
    // with `stream`, a character that was cut in two at the end is left out
    return { kind: "text", text: new TextDecoder(encoding).decode(bytes, { stream: true }) };
  } catch (error) {
    return { kind: "unreadable", why: reasonOf(error) };
  }
}

async function readStart(file: Deno.FsFile): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await file.stat();
  // some systems' special files say 0 and have text all the same
  const bytes = new Uint8Array(Math.min(size || 4096, MOST_BYTES));
  let length = 0;
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

/** UTF-16 is told by its mark; otherwise, text has no zero bytes. */
function encodingOf(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return bytes.subarray(0, LOOKED_AT).includes(0) ? undefined : "utf-8";
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}
