/**
 * `deno task bench`: figures of `mp` beside those of something else, measured in turn in the same minutes.
 *
 * A ratio carries over to other machines far better than a time does; each is the median of the ratios of
 * its rounds.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { SERIES } from "./growth/all_series.ts";
import { plot } from "./growth/plot.ts";
import { type Growth, measureGrowth } from "./growth/series.ts";
import { ROOT } from "./processes.ts";
import { report, show } from "./report.ts";
import { measure, NotMeasured, type Result, type Row } from "./row.ts";
import { afterFaults } from "./rows/after_faults.ts";
import { bundleTime } from "./rows/bundle.ts";
import { containers } from "./rows/containers.ts";
import { executableHelp } from "./rows/executable_help.ts";
import { executableSize } from "./rows/executable_size.ts";
import { executableStart } from "./rows/executable_start.ts";
import { farScopesInMysql } from "./rows/far_scopes_mysql.ts";
import { farScopesInRedis } from "./rows/far_scopes_redis.ts";
import { hedge } from "./rows/hedge.ts";
import { hotScope } from "./rows/hot_scope.ts";
import { hotScopeInFile } from "./rows/hot_scope_file.ts";
import { besideJayson } from "./rows/jayson.ts";
import { scatterLatency } from "./rows/latency.ts";
import { leak } from "./rows/leak.ts";
import { memory } from "./rows/memory.ts";
import { memoryDriver } from "./rows/memory_driver.ts";
import { minParts } from "./rows/min_parts.ts";
import { besideMoleculer } from "./rows/moleculer.ts";
import { fanOutBesideMoleculer } from "./rows/moleculer_fan_out.ts";
import { scatterThroughput } from "./rows/scatter.ts";
import { scopesInFile } from "./rows/scopes_file.ts";
import { simpleService } from "./rows/simple_service.ts";
import { start } from "./rows/start.ts";

const ROWS: readonly Row[] = [
  simpleService,
  scatterThroughput,
  scatterLatency,
  start,
  containers,
  memory,
  hotScope,
  farScopesInRedis,
  farScopesInMysql,
  scopesInFile,
  hotScopeInFile,
  besideJayson,
  besideMoleculer,
  fanOutBesideMoleculer,
  memoryDriver,
  executableHelp,
  executableStart,
  executableSize,
  bundleTime,
  leak,
  hedge,
  afterFaults,
  minParts,
];

const flags = parseArgs(Deno.args, {
  string: ["only", "rounds", "growth"],
  boolean: ["json", "write"],
  default: { rounds: "5" },
});
const rounds = Number(flags.rounds);
const rows = chosen(ROWS, flags.only ?? (flags.growth === undefined ? "all" : "none"));
const series = chosen(SERIES, flags.growth ?? (flags.write ? "all" : "none"));
if (!rows || !series || !Number.isInteger(rounds) || rounds < 1) {
  const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).join(",");
  console.error(`usage: deno task bench [--rounds 5] [--json] [--write]
  --only ROWS       all (default), none, or some of ${names(ROWS)}
  --growth SERIES   all, none (default), or some of ${names(SERIES)}
  --write           also write docs/benchmarks.md, with all series`);
  Deno.exit(2);
}

let failed = false;
const results: Result[] = [];
for (const row of rows) {
  console.error(`${row.title} …`);
  try {
    results.push(await measure(row, rounds));
  } catch (error) {
    // what has taken minutes to measure is not lost for it
    if (!(error instanceof NotMeasured)) failed = true;
    console.error("not measured:", error instanceof NotMeasured ? error.message : error);
    continue;
  }
  if (!flags.json) print(results.at(-1)!);
}
const growths: Growth[] = [];
for (const one of series) {
  console.error(`${one.title} …`);
  try {
    growths.push(await measureGrowth(one));
  } catch (error) {
    failed = true;
    console.error("not measured:", error);
    continue;
  }
  if (!flags.json) printGrowth(growths.at(-1)!);
}
if (flags.json) console.log(JSON.stringify({ results, growths }, null, 2));
if (flags.write) await write();
if (failed) Deno.exit(1);

/** Those of the given names; nothing when one is unknown. */
function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  names: string,
): readonly T[] | undefined {
  if (names === "all") return all;
  if (names === "none") return [];
  const found = names.split(",").map((name) => all.find((one) => one.name === name));
  return found.every((one) => one !== undefined) ? found : undefined;
}

async function write(): Promise<void> {
  await Deno.mkdir(`${ROOT}docs/benchmarks`, { recursive: true });
  for (const growth of growths) {
    await Deno.writeTextFile(`${ROOT}docs/benchmarks/${growth.name}.svg`, plot(growth));
  }
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const machine = `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} cores, ` +
    `${memory} GiB, Deno ${Deno.version.deno}`;
  const page = report({ results, growths, machine, rounds });
  await Deno.writeTextFile(`${ROOT}docs/benchmarks.md`, page);
  const args = ["fmt", "-q", `${ROOT}docs/benchmarks.md`];
  await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
}

function print(
  { title, unit, against, better, target, ratio, reached, sides, notes }: Result,
): void {
  console.log(`\n${title}`);
  for (const { name, median, least, most } of sides) {
    console.log(
      `  ${name.padEnd(16)} ${show(median).padStart(10)} ${unit}   (${show(least)} – ${
        show(most)
      })`,
    );
  }
  const bound = better === "more" ? "≥" : "≤";
  console.log(
    `  ratio to ${against}: ${ratio.toFixed(2)}, target ${bound} ${target}: ${
      reached ? "reached" : "SHORT"
    }`,
  );
  for (const note of notes) console.log(`  ${note}`);
}

function printGrowth({ title, size, figures, points }: Growth): void {
  console.log(`\n${title}`);
  console.log(
    `  ${size.padStart(24)}  ${figures.map(({ name, unit }) => `${name} (${unit})`).join("   ")}`,
  );
  for (const { size, values } of points) {
    const shown = values.map((value, i) =>
      show(value).padStart(`${figures[i]!.name} (${figures[i]!.unit})`.length)
    );
    console.log(`  ${size.toLocaleString("en").padStart(24)}  ${shown.join("   ")}`);
  }
}
