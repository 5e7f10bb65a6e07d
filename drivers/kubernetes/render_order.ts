/**
 * From what is ordered to the settings of a manifest. Pure.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { messageOf, MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { DriverSettings, RenderOptions } from "../../runtime/launch/driver.ts";
import { parseAddress } from "../../runtime/peer/address.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { imageName } from "./image_name.ts";
import { type KubernetesManifest, renderManifest } from "./manifest.ts";
import type { KubernetesSettings } from "./settings.ts";
import { storageForPods } from "./storage_for_pods.ts";

/** What the command line says to this driver. */
export interface KubernetesOrder {
  readonly namespace?: string;
  readonly context?: string;
  readonly image?: string;
  readonly recreate: boolean;
  /** The PersistentVolumeClaim for storage `file`. */
  readonly volumeClaim?: string;
}

/** What is not ordered. */
export interface Surroundings {
  /** How long doors go on after their pods were told to end, in milliseconds. */
  readonly linger?: number;
  /** Reads a variable of the launcher's environment, which may choose a storage. */
  readonly around?: (name: string) => string | undefined;
}

/** Reads what the command line says to this driver. */
export function readOrder(settings: DriverSettings = {}): KubernetesOrder {
  const text = (name: string): string | undefined => {
    const value = settings[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return {
    namespace: text("namespace"),
    context: text("context"),
    image: text("image"),
    recreate: settings.recreate === true,
    volumeClaim: text("volumeClaim"),
  };
}

/**
 * Renders what is ordered.
 *
 * @throws {MpError} `unsupported` for what pods cannot have, such as files of this machine.
 */
export function renderOrdered(
  plan: Plan,
  book: AddressBook,
  { bundle, note, env }: RenderOptions,
  { linger, around = () => undefined }: Surroundings = {},
): KubernetesManifest {
  const settings = note.order.settings ?? {};
  const { namespace, volumeClaim } = readOrder(settings);
  const { MP_SECRET, MP_AUTH_USERS: users, ...rest } = env;
  if (note.order.inspect !== undefined) {
    throw new MpError(
      "unsupported",
      "Cannot inspect a pod: the inspector listens on this machine",
      {
        next: "Leave --inspect out, or run the script without --driver",
      },
    );
  }
  const [file] = plan.files ?? [];
  if (file !== undefined) {
    throw new MpError(
      "unsupported",
      `Cannot take "${file.path}" along into pods: a ConfigMap is too small for the files that mp.files() names`,
      { next: "Keep them in a storage that pods reach, or use --driver docker" },
    );
  }
  const variables = {
    ...rest,
    ...storageForPods(plan, { given: rest, around, claim: volumeClaim }),
  };
  return renderManifest(plan, book, {
    ...(namespace !== undefined && { namespace }),
    image: imageName(settings, note.order.version),
    bundle,
    // the same each time for what is exported; a launch makes a new one
    secret: MP_SECRET ?? digest(`${plan.app} ${book.tree} ${bundle.code}`),
    env: variables,
    ...(users !== undefined && readUsers(users)),
    ...(volumeClaim !== undefined && { claim: volumeClaim }),
    note,
    ...(linger !== undefined && { linger }),
    port: doorPortOf(book),
  });
}

/** What is in the file of users. Where it is missing, as on another machine, what runs is scaled without it. */
function readUsers(path: string): Pick<KubernetesSettings, "files" | "problem"> {
  try {
    return { files: { MP_AUTH_USERS: Deno.readTextFileSync(path) } };
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const why = missing ? "there is no such file" : messageOf(error);
    const problem = new MpError("usage", `Cannot read --auth-users "${path}": ${why}`);
    return { files: { MP_AUTH_USERS: "" }, problem };
  }
}

function doorPortOf({ doors }: AddressBook): number {
  const own = doors[0] && parseAddress(doors[0].address);
  return own?.transport === "tcp" ? own.port : 3000;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
