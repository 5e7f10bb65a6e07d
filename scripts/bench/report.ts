/**
 * `docs/benchmarks.md`, made of what was measured. Pure.
 *
 * @module
 */

import type { Growth } from "./growth/series.ts";
import type { Result } from "./row.ts";

/** What was measured, and on what. */
export interface Measured {
  readonly results: readonly Result[];
  readonly growths: readonly Growth[];
  /** The machine and the versions, for people. */
  readonly machine: string;
  readonly rounds: number;
}

/** The whole page. */
export function report({ results, growths, machine, rounds }: Measured): string {
  return `# Benchmarks

<!-- Made by \`deno task bench --write\`; changes by hand are lost. -->

Each figure of \`mp\` stands beside the same figure of something else, measured in turn in the same
minutes on the same machine; a ratio carries over to other machines far better than a time does. The
load comes from \`wrk\`, held on one core. Measured on ${machine}, ${rounds} interleaved rounds. What bounds
the figures is told in [Performance](performance.md).

${results.length > 0 ? table(results) : ""}
## How cost grows with the work

Both axes of the drawings are logarithmic.

${growths.map(section).join("\n")}`;
}

/** The rows, as a table. */
function table(results: readonly Result[]): string {
  const head = ["measured", "", "mp", "beside it", "ratio", "target", ""];
  const lines = results.map(({ title, unit, sides, ratio, target, better, reached, notes }) => [
    [title, ...notes].join("<br>"),
    unit,
    sides[0] ? withSpread(sides[0]) : "",
    sides.slice(1).map((side) => `${side.name}: ${withSpread(side)}`).join("<br>"),
    ratio.toFixed(2),
    `${better === "more" ? "≥" : "≤"} ${target}`,
    reached ? "reached" : "**short**",
  ]);
  return markdown(head, lines);
}

function withSpread({ median, least, most }: Result["sides"][number]): string {
  return `${show(median)} (${show(least)} – ${show(most)})`;
}

/** A series: a drawing, and the figures. */
function section({ name, title, size, figures, points }: Growth): string {
  const lines = points.map((point) => [
    point.size.toLocaleString("en"),
    ...point.values.map(show),
  ]);
  const head = [size, ...figures.map(({ name, unit }) => `${name} (${unit})`)];
  return `### ${title[0]!.toUpperCase()}${title.slice(1)}: from ${points[0]!.size} to ${
    points.at(-1)!.size.toLocaleString("en")
  } ${size}

![${title}](benchmarks/${name}.svg)

${markdown(head, lines)}`;
}

/** A number as people read it. */
export function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}

/** A table as `deno fmt` writes it. */
function markdown(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...lines.map((l) => l[i]!.length)));
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`;
  return row(head) + row(widths.map((width) => "-".repeat(width))) + lines.map(row).join("");
}
