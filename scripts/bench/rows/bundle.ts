import { bundleScript, stopBundler, warmUpBundler } from "../../../runtime/script/bundle.ts";
import { ROOT } from "../processes.ts";
import type { Row } from "../row.ts";

const BUNDLE_BUDGET = 60;

/** A script as one module, when esbuild runs already. */
export const bundleTime: Row = {
  name: "bundle",
  title: "bundling `examples/histogram.ts`, warm",
  unit: "ms",
  against: `a budget of ${BUNDLE_BUDGET} ms`,
  target: 1,
  better: "less",
  async prepare() {
    await warmUpBundler();
    const measure = async () => {
      const before = performance.now();
      await bundleScript(`${ROOT}examples/histogram.ts`);
      return performance.now() - before;
    };
    await measure();
    return {
      sides: [
        { name: "mp", measure },
        { name: "budget", measure: () => Promise.resolve(BUNDLE_BUDGET) },
      ],
      [Symbol.asyncDispose]: stopBundler,
    };
  },
};
