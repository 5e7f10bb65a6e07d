/**
 * What replicas read that is no secret: the bundle and the address book. Pure.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { MpError } from "../../../runtime/errors.ts";
import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import { kubeName } from "../kube_name.ts";
import type { KubeObject } from "../kube_object.ts";
import type { BundleText } from "../settings.ts";
import { appMeta, type TreeContext, treeMeta } from "./object_meta.ts";

/** What a ConfigMap may hold in all, in bytes. */
const MOST = 1024 * 1024;
/** The names of the files, as keys. */
export const BUNDLE_FILE = "bundle.mjs.gz";
export const MAP_FILE = "bundle.mjs.map.gz";
export const BOOK_FILE = "book.json";

/**
 * The ConfigMap of a bundle. It is named by what it holds, and never changes. The source map is left out where
 * it would not fit; stack traces then show lines of the bundle.
 *
 * @throws {MpError} `unsupported` when the bundle does not fit.
 */
export function bundleConfigMap(
  bundle: BundleText,
  context: Pick<TreeContext, "namespace" | "app">,
): KubeObject {
  const code = gzipSync(bundle.code, { level: 9 });
  const map = gzipSync(bundle.map, { level: 9 });
  if (sizeOf(BUNDLE_FILE, code) > MOST) throw tooBig(bundle, code.length, context.app);
  const withMap = sizeOf(BUNDLE_FILE, code) + sizeOf(MAP_FILE, map) <= MOST;
  const hash = createHash("sha256").update(code).update(withMap ? map : "").digest("hex");
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: appMeta(kubeName([context.app, "bundle", hash.slice(0, 10)]), context),
    immutable: true,
    binaryData: {
      [BUNDLE_FILE]: code.toString("base64"),
      ...(withMap && { [MAP_FILE]: map.toString("base64") }),
    },
  };
}

/** The ConfigMap of the address book, which replicas follow. @throws {MpError} `unsupported` when it does not fit. */
export function bookConfigMap(book: AddressBook, context: TreeContext): KubeObject {
  const text = JSON.stringify(book);
  if (BOOK_FILE.length + text.length > MOST) {
    throw new MpError(
      "unsupported",
      `Cannot run "${context.app}": the address book of ${book.replicas.length} replicas has ` +
        `${text.length} bytes, and a ConfigMap holds ${MOST}`,
      { next: "Run fewer replicas" },
    );
  }
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: treeMeta(kubeName([context.app, "book", context.tree]), context),
    data: { [BOOK_FILE]: text },
  };
}

/** What counts is the key and the value, before it is encoded. */
function sizeOf(key: string, value: Uint8Array): number {
  return key.length + value.length;
}

function tooBig({ script }: BundleText, size: number, app: string): MpError {
  return new MpError(
    "unsupported",
    `Cannot run "${app}" on Kubernetes: its bundle has ${size} bytes even when compressed, ` +
      `and a ConfigMap holds ${MOST}`,
    {
      where: script,
      next: "Import less: data belongs in a storage or is fetched, not in the script",
    },
  );
}
