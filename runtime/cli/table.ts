/**
 * Tables of text.
 *
 * @module
 */

import { stripAnsiCode } from "@std/fmt/colors";
import type { Palette } from "./palette.ts";

/** Rows under a head, in columns as wide as they need. Cells may hold colours. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { dim }: Palette,
): string {
  const lengthOf = (cell: string) => stripAnsiCode(cell).length;
  const widths = head.map((name, i) =>
    Math.max(name.length, ...rows.map((row) => lengthOf(row[i] ?? "")))
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => cell + " ".repeat(widths[i]! - lengthOf(cell))).join("  ").trimEnd();
  return [dim(line(head)), ...rows.map(line)].join("\n");
}
