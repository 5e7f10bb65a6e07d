/**
 * What one row of the benchmark is.
 *
 * @module
 */

/** A row: a figure of `mp`'s beside the same figure of something else, measured in turn. */
export interface Row {
  /** For `--only`. */
  readonly name: string;
  /** What is measured, as in the table. */
  readonly title: string;
  readonly unit: string;
  /** What it is compared with. */
  readonly against: string;
  /** The ratio to reach: at least it where more is better, at most it where less is. */
  readonly target: number;
  readonly better: "more" | "less";
  /** Starts what is needed and warms it up. */
  prepare(): Promise<Prepared>;
}

/** Why a row cannot be measured on this machine; thrown by its `prepare()`. */
export class NotMeasured extends Error {
  override readonly name = "NotMeasured";
}

/** A row that is ready to be measured. */
export interface Prepared extends AsyncDisposable {
  /** `mp` first, then what the ratio is taken against, then what is only shown beside. */
  readonly sides: readonly Side[];
  /** What else is to be known, when all is measured: whole sentences without a full stop. */
  notes?(): readonly string[];
}

/** One side of a row. */
export interface Side {
  readonly name: string;
  /** One measurement, in the row's unit. */
  measure(): Promise<number>;
}

/** The figures of one side over all rounds. */
export interface Figures {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** A measured row. */
export interface Result {
  readonly row: string;
  readonly title: string;
  readonly unit: string;
  readonly against: string;
  readonly target: number;
  readonly better: Row["better"];
  /** The median of the ratios of each round. */
  readonly ratio: number;
  readonly reached: boolean;
  readonly sides: readonly Figures[];
  readonly notes: readonly string[];
}

/** Measures a row in interleaved rounds: A B A B …, so that a machine that drifts does so for both. */
export async function measure(row: Row, rounds: number): Promise<Result> {
  await using prepared = await row.prepare();
  const values: number[][] = prepared.sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of prepared.sides.entries()) values[i]!.push(await side.measure());
  }
  const ratio = median(values[0]!.map((value, round) => value / values[1]![round]!));
  return {
    row: row.name,
    title: row.title,
    unit: row.unit,
    against: row.against,
    target: row.target,
    better: row.better,
    ratio,
    reached: row.better === "more" ? ratio >= row.target : ratio <= row.target,
    sides: prepared.sides.map(({ name }, i) => ({
      name,
      median: median(values[i]!),
      least: Math.min(...values[i]!),
      most: Math.max(...values[i]!),
    })),
    notes: prepared.notes?.() ?? [],
  };
}

/** The middle of the values; of an even number of them, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
