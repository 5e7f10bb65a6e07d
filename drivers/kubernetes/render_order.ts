/**
 * From what is ordered to the settings of a manifest. Pure.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import type { DriverSettings, RenderOptions } from "../../runtime/launch/driver.ts";
import { parseAddress } from "../../runtime/peer/address.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { chooseStorage } from "../../runtime/storage/choose_storage.ts";
import { imageName } from "./image_name.ts";
import { type KubernetesManifest, renderManifest } from "./manifest.ts";
import { DATA } from "./objects/pod_template.ts";

/** What the command line says to this driver. */
export interface KubernetesOrder {
  readonly namespace?: string;
  readonly context?: string;
  readonly image?: string;
  readonly recreate: boolean;
  /** The PersistentVolumeClaim for storage `file`. */
  readonly volumeClaim?: string;
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
 * @throws {MpError} `unsupported` for what pods cannot have, such as a storage that is a file.
 */
export function renderOrdered(
  plan: Plan,
  book: AddressBook,
  { bundle, note, env }: RenderOptions,
  { linger }: { readonly linger?: number } = {},
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
  const variables = { ...rest, ...storageOf(plan, rest, volumeClaim) };
  return renderManifest(plan, book, {
    ...(namespace !== undefined && { namespace }),
    image: imageName(settings, note.order.version),
    bundle,
    // the same each time for what is exported; a launch makes a new one
    secret: MP_SECRET ?? digest(`${plan.app} ${book.tree} ${bundle.code}`),
    env: variables,
    ...(users !== undefined && { files: { MP_AUTH_USERS: readUsers(users) } }),
    ...(volumeClaim !== undefined && { claim: volumeClaim }),
    note,
    ...(linger !== undefined && { linger }),
    port: doorPortOf(book),
  });
}

/** Where scopes live. A file would be another one in each pod, and gone with it. */
function storageOf(
  plan: Plan,
  env: Readonly<Record<string, string>>,
  claim: string | undefined,
): Record<string, string> {
  const { storage } = chooseStorage({ env, folder: DATA });
  const replicas = plan.nodes.reduce((sum, node) => sum + node.replicas, 0);
  const isChosen = Boolean(env.MP_STORAGE);
  if (storage === "redis" || storage === "mysql" || storage === "memory") return {};
  if (claim !== undefined && replicas === 1) return { MP_STORAGE: `file:${DATA}/data.db` };
  if (!isChosen && claim === undefined) return { MP_STORAGE_REFUSED: WITHOUT_STORAGE };
  throw new MpError(
    "unsupported",
    replicas === 1
      ? `Cannot run "${plan.app}" with storage file: a pod's own files are gone when it ends`
      : `Cannot run "${plan.app}" with storage file: it has ${replicas} replicas, each a pod that sees its own files only`,
    {
      next: replicas === 1
        ? "Name a PersistentVolumeClaim with --volume-claim, or choose --storage redis://… or mysql://…"
        : "Choose --storage redis://… or mysql://…",
    },
  );
}

const WITHOUT_STORAGE = "pods have no files that last: choose --storage redis://… or mysql://…";

function readUsers(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    throw new MpError(
      "usage",
      `Cannot read --auth-users "${path}": ${missing ? "there is no such file" : String(error)}`,
    );
  }
}

function doorPortOf({ doors }: AddressBook): number {
  const own = doors[0] && parseAddress(doors[0].address);
  return own?.transport === "tcp" ? own.port : 3000;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
