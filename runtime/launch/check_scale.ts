/**
 * What may be scaled. Pure.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import { INGRESS } from "../topology/names.ts";
import type { ScaleOrder } from "./launcher.ts";

/**
 * Checks that a plan can be scaled as ordered.
 *
 * @throws {MpError} `topology_invalid` for a path that is not there, `unsupported` where keys would move.
 */
export function checkScale(plan: Plan, { path, rehash }: ScaleOrder): void {
  const cannot = `Cannot scale "${path}" of "${plan.app}"`;
  const node = plan.nodes.find((one) => one.path === path);
  if (!node || path === INGRESS) {
    const paths = plan.nodes.map((one) => one.path).filter((one) => one !== INGRESS);
    throw new MpError(
      "topology_invalid",
      node ? `${cannot}: its number is fixed` : `${cannot}: there is no such path`,
      { next: `The paths are ${paths.join(", ")}` },
    );
  }
  if (node.state === "keyed" && !rehash) {
    throw new MpError(
      "unsupported",
      `${cannot}: a key finds its replica by their number, so keys would move`,
      { next: "Add --rehash if that is meant" },
    );
  }
}
