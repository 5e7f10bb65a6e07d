/**
 * Which image pods run. Pure.
 *
 * @module
 */

import type { DriverSettings } from "../../runtime/launch/driver.ts";

/** The image that was named, or the generic one of this version: nothing of a script is in it. */
export function imageName(settings: DriverSettings, version: string): string {
  const { image, registry, imagePrefix } = settings;
  if (typeof image === "string" && image !== "") return image;
  return [registry, imagePrefix, `mp:${version}`]
    .filter((part) => typeof part === "string" && part !== "").join("/");
}
