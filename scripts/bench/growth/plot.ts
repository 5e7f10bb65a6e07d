/**
 * A series as a drawing. Pure.
 *
 * @module
 */

import type { Growth, Point } from "./series.ts";

const WIDTH = 640;
const HEIGHT = 300;
const LEFT = 70;
const RIGHT = 20;
const TOP = 44;
const BOTTOM = 46;
const GAP = 76;
/** One for each figure; both can be told apart by people who see few colours, on white and on black. */
const COLOURS = ["#2f7ed8", "#d9822b"];

/**
 * Draws a series as SVG, one panel a figure. Both axes are logarithmic, so that a cost that grows in
 * proportion to the work is a line at 45 degrees.
 */
export function plot({ title, size, figures, points }: Growth): string {
  const height = TOP + figures.length * HEIGHT - GAP / 2;
  const panels = figures.map(({ name, unit }, i) =>
    panel(points, i, { caption: `${name} (${unit})`, size, top: TOP + i * HEIGHT })
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
    `font-family="system-ui, sans-serif" font-size="12" fill="#888">`,
    `<title>${escape(title)}</title>`,
    `<text x="${WIDTH / 2}" y="22" text-anchor="middle" font-size="15">${escape(title)}</text>`,
    ...panels.flat(),
    "</svg>\n",
  ].join("\n");
}

interface PanelOptions {
  readonly caption: string;
  readonly size: string;
  readonly top: number;
}

function panel(
  points: readonly Point[],
  figure: number,
  { caption, size, top }: PanelOptions,
): string[] {
  const values = points.map((point) => point.values[figure]!);
  const bottom = top + HEIGHT - GAP - BOTTOM + 20;
  const [left, right] = [LEFT, WIDTH - RIGHT];
  const x = scale(points.map((point) => point.size), left, right);
  const y = scale(values, bottom, top + 24);
  const colour = COLOURS[figure % COLOURS.length]!;
  const at = points.map((point, i) => [round(x.of(point.size)), round(y.of(values[i]!))] as const);
  return [
    `<text x="${left}" y="${top + 6}" fill="${colour}">${escape(caption)}</text>`,
    ...y.marks.flatMap((mark) => [
      `<line x1="${left}" x2="${right}" y1="${round(y.of(mark))}" y2="${round(y.of(mark))}" ` +
      `stroke="#888" stroke-opacity="0.25"/>`,
      `<text x="${left - 8}" y="${round(y.of(mark) + 4)}" text-anchor="end">${short(mark)}</text>`,
    ]),
    ...points.map((point) =>
      `<text x="${round(x.of(point.size))}" y="${bottom + 20}" text-anchor="middle">${
        short(point.size)
      }</text>`
    ),
    `<text x="${right}" y="${bottom + 38}" text-anchor="end">${escape(size)}</text>`,
    `<polyline points="${
      at.map((place) => place.join(",")).join(" ")
    }" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...at.map(([cx, cy], i) =>
      `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>` +
      `<text x="${cx}" y="${cy - 9}" text-anchor="middle">${short(values[i]!)}</text>`
    ),
  ];
}

/** Places on a logarithmic axis; its marks are the powers of ten around the values. */
function scale(values: readonly number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    of: (value: number) => from + (to - from) * (Math.log10(value) - low) / (high - low),
    marks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

/** A number as it fits into a drawing, such as `12k`. */
function short(value: number): string {
  const [divisor, suffix] = value >= 1e6 ? [1e6, "M"] : value >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${Number((value / divisor).toPrecision(3))}${suffix}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
