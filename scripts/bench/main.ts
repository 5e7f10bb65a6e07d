/**
 * `deno task bench`: figures of `mp` beside those of something else, measured in turn in the same minutes.
 *
 * A ratio carries over to other machines far better than a time does; each is the median of the ratios of
 * its rounds.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { measure, type Result, type Row } from "./row.ts";
import { memory } from "./rows/memory.ts";
import { memoryDriver } from "./rows/memory_driver.ts";
import { besideJayson, besideMoleculer, fanOutBesideMoleculer } from "./rows/peers.ts";
import { scatterLatency, scatterThroughput } from "./rows/scatter.ts";
import { farScopesInMysql, farScopesInRedis, hotScope, scopesInFile } from "./rows/scopes.ts";
import { simpleService } from "./rows/simple_service.ts";
import { start } from "./rows/start.ts";

const ROWS: readonly Row[] = [
  simpleService,
  scatterThroughput,
  scatterLatency,
  start,
  memory,
  hotScope,
  farScopesInRedis,
  farScopesInMysql,
  scopesInFile,
  besideJayson,
  besideMoleculer,
  fanOutBesideMoleculer,
  memoryDriver,
];

const flags = parseArgs(Deno.args, {
  string: ["only", "rounds"],
  boolean: ["json"],
  default: { rounds: "5" },
});
const names = flags.only?.split(",");
const unknown = names?.find((name) => !ROWS.some((row) => row.name === name));
const rounds = Number(flags.rounds);
if (unknown || !Number.isInteger(rounds) || rounds < 1) {
  console.error(
    `usage: deno task bench [--only ${
      ROWS.map((row) => row.name).join(",")
    }] [--rounds 5] [--json]`,
  );
  Deno.exit(2);
}

const results: Result[] = [];
for (const row of ROWS.filter(({ name }) => !names || names.includes(name))) {
  console.error(`${row.title} …`);
  results.push(await measure(row, rounds));
}
if (flags.json) console.log(JSON.stringify(results, null, 2));
else results.forEach(print);

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

function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}
