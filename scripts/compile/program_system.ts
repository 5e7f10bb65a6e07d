/**
 * For which system a program is, by how its file begins.
 *
 * @module
 */

/** What files of programs begin with, and what says for which processor they are. */
const FORMATS = [
  { magic: [0x7f, 0x45, 0x4c, 0x46], system: "unknown-linux-gnu", at: 18, x64: 0x3e, arm64: 0xb7 },
  { magic: [0xcf, 0xfa, 0xed, 0xfe], system: "apple-darwin", at: 4, x64: 0x07, arm64: 0x0c },
] as const;

/** Where a program of Windows says where its header is, and where that names the processor. */
const PE = { magic: [0x4d, 0x5a], header: 0x3c, machine: 4, x64: 0x64, arm64: 0xaa };

/**
 * The system of a program, as `deno compile` names its targets.
 *
 * @param start The first 4 KiB of its file.
 * @returns Nothing where it is none of those that are known.
 */
export function programSystem(start: Uint8Array): string | undefined {
  const begins = (magic: readonly number[]) => magic.every((byte, i) => start[i] === byte);
  const processor = (byte: number | undefined, { x64, arm64 }: { x64: number; arm64: number }) =>
    byte === x64 ? "x86_64" : byte === arm64 ? "aarch64" : undefined;
  const format = FORMATS.find(({ magic }) => begins(magic));
  if (format !== undefined) {
    const name = processor(start[format.at], format);
    return name && `${name}-${format.system}`;
  }
  if (!begins(PE.magic) || start.length < PE.header + 4) return undefined;
  const header = new DataView(start.buffer, start.byteOffset).getUint32(PE.header, true);
  const name = processor(start[header + PE.machine], PE);
  return name && `${name}-pc-windows-msvc`;
}

/** The system of a file's program. */
export async function systemOfFile(path: string): Promise<string | undefined> {
  using file = await Deno.open(path);
  const start = new Uint8Array(4096);
  const count = await file.read(start) ?? 0;
  return programSystem(start.subarray(0, count));
}
