/**
 * `deno task test:faults`: the fault test of scopes, for long.
 *
 * Four replicas share a storage, and 32 clients use registers, counters and accounts in it, while replicas and the
 * server are killed with -9 and the network before it fails. What the clients did and got is then checked: it must be
 * linearizable, nothing acknowledged may be lost, nothing doubled, and sums stay what they are.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { type FaultsReport, runFaults } from "../tests/e2e/faults/run_faults.ts";
import { STORAGES } from "../tests/e2e/faults/storages.ts";

const flags = parseArgs(Deno.args, {
  string: ["storage", "seed", "operations"],
  default: {
    storage: Object.keys(STORAGES).join(","),
    seed: String(Math.floor(Math.random() * 1_000_000)),
    operations: "100000",
  },
  unknown: (argument) => usage(`Unknown: ${argument}`),
});
const names = flags.storage.split(",");
const [seed, operations] = [Number(flags.seed), Number(flags.operations)];
if (names.some((name) => !Object.hasOwn(STORAGES, name))) {
  usage(`No such storage: ${flags.storage}`);
}
if (!Number.isInteger(seed) || !(Number.isInteger(operations) && operations > 0)) {
  usage("--seed and --operations are integers");
}

let failed = false;
for (const storage of names) {
  console.log(`${storage}: --seed ${seed} --operations ${operations}`);
  const faults = Math.max(20, Math.round(operations / 500));
  try {
    const report = await runFaults({ storage, seed, operations, faults, longest: 1_500 });
    show(report);
    failed ||= report.wrong.length > 0;
  } catch (error) {
    console.log(error);
    failed = true;
  }
}
console.log(failed ? "FAILED" : "ok");
Deno.exit(failed ? 1 : 0);

function show({ answered, seconds, faults, ends, wrong }: FaultsReport): void {
  const rate = Math.round(answered / seconds);
  console.log(`  ${answered} operations in ${Math.round(seconds)} s, ${rate}/s`);
  for (const counts of [ends, faults]) {
    for (const [name, count] of counts) console.log(`  ${String(count).padStart(7)} ${name}`);
  }
  if (wrong.length === 0) console.log("  nothing is wrong");
  for (const one of wrong.slice(0, 20)) console.log(`  WRONG: ${one}`);
  if (wrong.length > 20) console.log(`  and ${wrong.length - 20} more`);
}

function usage(problem: string): never {
  console.error(problem);
  console.error(
    `usage: deno task test:faults [--storage ${
      Object.keys(STORAGES).join(",")
    }] [--seed 7] [--operations 100000]`,
  );
  Deno.exit(2);
}
