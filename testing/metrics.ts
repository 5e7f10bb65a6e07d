/**
 * Reads Prometheus's text format.
 *
 * @module
 */

import type { Metrics, Sample } from "./app.ts";

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads the texts of some endpoints. */
export function readMetrics(texts: readonly string[]): Metrics {
  const samples = texts.flatMap((text) => text.split("\n").flatMap(readSample));
  return {
    samples,
    value: (name, labels = {}) =>
      samples.filter((sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
      ).reduce((sum, { value }) => sum + value, 0),
  };
}

function readSample(line: string): Sample[] {
  const [, name, labels = "", value] = LINE.exec(line) ?? [];
  if (name === undefined) return [];
  const pairs = Array.from(labels.matchAll(LABEL), ([, label, text]) =>
    [
      label!,
      text!.replace(/\\(.)/g, (_, escaped) => escaped === "n" ? "\n" : escaped),
    ] as const);
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
}
