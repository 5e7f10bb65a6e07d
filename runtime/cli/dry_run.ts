/**
 * `mp run --dry-run`: what a platform says that it would make.
 *
 * @module
 */

import { renderOrder } from "../launch/deployed.ts";
import type { Driver } from "../launch/driver.ts";
import type { DeployOrder } from "../launch/launcher.ts";
import { usage } from "./option.ts";
import type { Output } from "./output.ts";

/** Has a driver say what it would make. @throws {MpError} What the platform would refuse; `usage`. */
export async function dryRun(
  order: DeployOrder,
  driver: Driver,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
): Promise<number> {
  if (!driver.dryRun) {
    throw usage(`Cannot use --dry-run with driver "${driver.name}": it has no server to ask`, {
      next: "Use mp plan, which shows what would run",
    });
  }
  const lines = await driver.dryRun(await renderOrder(order, driver), { signal });
  if (output.json) output.data({ dryRun: lines });
  else for (const line of lines) output.result(line);
  return 0;
}
