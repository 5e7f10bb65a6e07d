import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { seed } from "./fuzz_inputs.ts";

const ROUNDS = 8;
const PER_FAMILY = 80;
/** What is still compiled, cached and counted in later rounds; a leak of 100 bytes an input is more. */
const NOISE = 500_000;

Deno.test("the endpoint's memory stays flat, whatever comes", async () => {
  const program = fromFileUrl(new URL("./fuzz_memory_program.ts", import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--v8-flags=--expose-gc", program],
      ...[seed, ROUNDS, PER_FAMILY].map(String),
    ],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const used = new TextDecoder().decode(stdout).trim().split("\n").map(Number);
  assertEquals(used.length, ROUNDS);
  const [early, late] = [Math.min(...used.slice(1, 4)), Math.min(...used.slice(-3))];
  assert(late - early < NOISE, `FUZZ_SEED=${seed}: ${early} bytes became ${late} (${used})`);
});
