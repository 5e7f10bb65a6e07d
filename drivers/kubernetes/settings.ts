/**
 * What the objects are made of besides the plan. Types only.
 *
 * @module
 */

import type { MpError } from "../../runtime/errors.ts";
import type { DeploymentNote } from "../../runtime/launch/driver.ts";

/** Everything that is decided before rendering. */
export interface KubernetesSettings {
  /** That of the context without one. */
  readonly namespace?: string;
  /** The image that every pod runs: `mp`, with the executable as its entry point. */
  readonly image: string;
  readonly pullPolicy?: "Always" | "IfNotPresent" | "Never";
  readonly bundle: BundleText;
  /** The deployment's secret, which its replicas prove to each other. */
  readonly secret: string;
  /** Environment of every replica besides each node's own; it may hold passwords. */
  readonly env: Readonly<Record<string, string>>;
  /** Files that replicas read, by the variable that names them. */
  readonly files?: Readonly<Record<string, string>>;
  /** The PersistentVolumeClaim for storage `file`. */
  readonly claim?: string;
  /** What is kept for another launcher; nothing in an export. */
  readonly note?: DeploymentNote;
  /** What is missing for a launch. */
  readonly problem?: MpError;
  /** How long doors go on after their pods were told to end, for Services take a while to send callers elsewhere, in ms. */
  readonly linger?: number;
  /** Where the Service of the deployment's own door listens. */
  readonly port: number;
}

/** A bundle, as text. */
export interface BundleText {
  /** The canonical form. */
  readonly code: string;
  /** Its source map. */
  readonly map: string;
  /** The name of the topology script, for messages. */
  readonly script: string;
}
