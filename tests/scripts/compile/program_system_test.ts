import { assertEquals } from "@std/assert";
import { programSystem, systemOfFile } from "../../../scripts/compile/program_system.ts";

/** A file's beginning, with bytes at places. */
function start(bytes: Readonly<Record<number, number>>): Uint8Array {
  const made = new Uint8Array(512);
  for (const [at, byte] of Object.entries(bytes)) made[Number(at)] = byte;
  return made;
}

const elf = (machine: number) => start({ 0: 0x7f, 1: 0x45, 2: 0x4c, 3: 0x46, 18: machine });
const mach = (cpu: number) => start({ 0: 0xcf, 1: 0xfa, 2: 0xed, 3: 0xfe, 4: cpu });
const pe = (machine: number) => start({ 0: 0x4d, 1: 0x5a, 0x3c: 0x80, 0x84: machine });

Deno.test("programSystem() tells systems and processors apart", () => {
  assertEquals([0x3e, 0xb7].map((byte) => programSystem(elf(byte))), [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
  ]);
  assertEquals([0x07, 0x0c].map((byte) => programSystem(mach(byte))), [
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
  ]);
  assertEquals(programSystem(pe(0x64)), "x86_64-pc-windows-msvc");
});

Deno.test("programSystem() knows nothing of other files", () => {
  for (
    const bytes of [
      new Uint8Array(),
      start({}),
      elf(8),
      mach(1),
      pe(1),
      start({ 0: 0x4d, 1: 0x5a }),
    ]
  ) {
    assertEquals(programSystem(bytes), undefined);
  }
  assertEquals(programSystem(new TextEncoder().encode("#!/bin/sh\n")), undefined);
  assertEquals(programSystem(new Uint8Array([0x4d, 0x5a])), undefined);
});

Deno.test("systemOfFile() knows this program", async () => {
  assertEquals(await systemOfFile(Deno.execPath()), Deno.build.target);
});
