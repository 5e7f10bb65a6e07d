/**
 * What one series of the benchmark is: how a cost grows with the work.
 *
 * @module
 */

/** A series: figures of `mp`'s at growing sizes. */
export interface Series {
  /** For `--growth`. */
  readonly name: string;
  readonly title: string;
  /** What grows, such as `leaves`. */
  readonly size: string;
  readonly sizes: readonly number[];
  /** What is measured, in the order of the figures. */
  readonly figures: readonly Figure[];
  /** The figures at one size. */
  measure(size: number): Promise<readonly number[]>;
}

export interface Figure {
  readonly name: string;
  readonly unit: string;
}

/** A measured series. */
export interface Growth extends Pick<Series, "name" | "title" | "size" | "figures"> {
  readonly points: readonly Point[];
}

export interface Point {
  readonly size: number;
  readonly values: readonly number[];
}

/** Measures a series from the smallest size to the largest. */
export async function measureGrowth(series: Series): Promise<Growth> {
  const { name, title, size, figures } = series;
  const points: Point[] = [];
  for (const at of series.sizes) {
    console.error(`${title}: ${at.toLocaleString("en")} ${size} …`);
    points.push({ size: at, values: await series.measure(at) });
  }
  return { name, title, size, figures, points };
}
