/**
 * Two scripts that make the same app.
 *
 * @module
 */

import type { DeployOrder } from "../launch/launcher.ts";
import type { KnownDeployment } from "../launch/state.ts";
import { showPath } from "../script/show_path.ts";

/** Says that an update replaces what another script made, which may not be meant. */
export function warnOfOtherScript(
  { bundle: { script } }: DeployOrder,
  { handle }: KnownDeployment,
  warn: (text: string) => void,
): void {
  if (script === handle.script) return;
  warn(
    `"${handle.app}" ran ${
      showPath(handle.script)
    } until now; --name gives this script an app of its own`,
  );
}
