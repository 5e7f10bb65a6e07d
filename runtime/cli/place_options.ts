/**
 * The options that say where a deployment is, where a platform has more than one place for them.
 *
 * @module
 */

import type { DriverSettings } from "../launch/driver.ts";
import { text, type Values } from "./option.ts";

/**
 * The options of commands that are about deployments. What the environment says (`MP_NAMESPACE`, `MP_CONTEXT`) is
 * where drivers look anyway; an option asks for one place alone.
 */
export const placeOptions = {
  namespace: text({
    value: "NAME",
    description: "Only deployments on Kubernetes, in this namespace",
  }),
  context: text({
    value: "NAME",
    description: "Only deployments on Kubernetes, in the cluster of this context",
  }),
};

/** What was said of the place; nothing when nothing was. */
export function placeOf(options: Values<typeof placeOptions>): DriverSettings | undefined {
  const { namespace, context } = options;
  if (namespace === undefined && context === undefined) return undefined;
  return {
    ...(namespace !== undefined && { namespace }),
    ...(context !== undefined && { context }),
  };
}
