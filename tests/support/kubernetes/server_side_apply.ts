/**
 * Server-side apply as Kubernetes documents it: each manager owns the fields that it applied, what it applies no
 * more is removed, and what another owns is a conflict unless it is forced.
 *
 * @module
 */

import type { ManagedFields, Stored } from "./object_store.ts";

/** What came of it. */
export type Applied =
  | { readonly object: Stored; readonly conflicts?: undefined }
  | { readonly conflicts: readonly { readonly field: string; readonly manager: string }[] };

/** Keys of lists whose items are merged, by the name of the list. Other lists are one value. */
const LIST_KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  containers: [["name"]],
  initContainers: [["name"]],
  env: [["name"]],
  volumes: [["name"]],
  volumeMounts: [["mountPath"]],
  ports: [["containerPort", "protocol"], ["port", "protocol"]],
  topologySpreadConstraints: [["topologyKey", "whenUnsatisfiable"]],
  imagePullSecrets: [["name"]],
};
/** Maps that are one value. */
const ATOMIC = new Set([
  "selector",
  "labelSelector",
  "podSelector",
  "namespaceSelector",
  "nodeSelector",
]);
const SEPARATOR = "\u0000";
/** What no manager owns. */
const IDENTITY = new Set([
  "apiVersion",
  "kind",
  `metadata${SEPARATOR}name`,
  `metadata${SEPARATOR}namespace`,
]);

/** Applies a configuration to what is there. */
export function serverSideApply(
  before: Stored | undefined,
  config: Record<string, unknown>,
  { manager, force }: { readonly manager: string; readonly force: boolean },
): Applied {
  const wanted = flatten(config);
  const current = before ? flatten(withoutServerFields(before)) : new Map<string, unknown>();
  const managed = before?.metadata.managedFields ?? [];
  const others = managed.filter((one) => one.manager !== manager || one.operation !== "Apply");
  const own = managed.find((one) => one.manager === manager && one.operation === "Apply");
  const conflicts = [...wanted].flatMap(([path, value]) => {
    const owner = others.find(({ fields }) => fields.includes(path));
    const differs = JSON.stringify(current.get(path)) !== JSON.stringify(value);
    return owner && differs ? [{ field: show(path), manager: owner.manager }] : [];
  });
  if (conflicts.length > 0 && !force) return { conflicts };
  const taken = new Set(
    [...wanted].filter(([path, value]) =>
      JSON.stringify(current.get(path)) !== JSON.stringify(value)
    )
      .map(([path]) => path),
  );
  const left: ManagedFields[] = others
    .map((one) => ({ ...one, fields: one.fields.filter((path) => !taken.has(path)) }))
    .filter(({ fields }) => fields.length > 0);
  const result = new Map(current);
  for (const path of own?.fields ?? []) {
    if (!wanted.has(path) && !left.some(({ fields }) => fields.includes(path))) result.delete(path);
  }
  for (const [path, value] of wanted) result.set(path, value);
  const object = unflatten(result) as Stored;
  object.metadata = {
    ...object.metadata,
    ...serverFields(before),
    managedFields: [
      ...left,
      {
        manager,
        operation: "Apply",
        fields: [...wanted.keys()].filter((path) => !IDENTITY.has(path)),
      },
    ],
  } as Stored["metadata"];
  if (before?.status !== undefined) object.status = before.status;
  return { object };
}

/** The paths of fields that an update changed; its manager owns them from then on. */
export function takeOwnership(
  before: Stored,
  after: Stored,
  manager: string,
): ManagedFields[] {
  const [old, current] = [
    flatten(withoutServerFields(before)),
    flatten(withoutServerFields(after)),
  ];
  const changed = [...current].filter(([path, value]) =>
    JSON.stringify(old.get(path)) !== JSON.stringify(value)
  ).map(([path]) => path);
  const rest = (before.metadata.managedFields ?? []).map((one) => ({
    ...one,
    fields: one.fields.filter((path) => current.has(path) && !changed.includes(path)),
  }));
  if (changed.length === 0) return rest;
  const own = rest.find((one) => one.manager === manager && one.operation === "Update");
  if (own) own.fields.push(...changed);
  else rest.push({ manager, operation: "Update", fields: changed });
  return rest.filter(({ fields }) => fields.length > 0);
}

const SERVER_FIELDS = [
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "ownerReferences",
] as const;

function serverFields(before: Stored | undefined): Record<string, unknown> {
  return Object.fromEntries(
    SERVER_FIELDS.flatMap((field) =>
      before?.metadata[field] === undefined ? [] : [[field, before.metadata[field]]]
    ),
  );
}

function withoutServerFields({ status: _, ...object }: Stored): Record<string, unknown> {
  const metadata = { ...object.metadata } as Record<string, unknown>;
  for (const field of SERVER_FIELDS) delete metadata[field];
  return { ...object, metadata };
}

/** An object as leaves by path. Paths say the keys of items of lists that are merged. */
function flatten(
  value: unknown,
  path = "",
  into = new Map<string, unknown>(),
): Map<string, unknown> {
  const name = path.split(SEPARATOR).at(-1)!;
  if (Array.isArray(value)) {
    const keys = keysOf(name, value);
    if (keys === undefined) return into.set(path, value);
    for (const item of value as Record<string, unknown>[]) {
      const key = Object.fromEntries(keys.map((one) => [one, item[one] ?? defaultKey(one)]));
      flatten({ ...key, ...item }, `${path}${SEPARATOR}${JSON.stringify(key)}`, into);
    }
    if (value.length === 0) into.set(path, value);
    return into;
  }
  if (typeof value === "object" && value !== null && !(ATOMIC.has(name) && path !== "")) {
    const entries = Object.entries(value);
    if (entries.length === 0 && path !== "") into.set(path, {});
    for (const [key, member] of entries) {
      if (member === undefined || member === null) continue;
      flatten(member, path === "" ? key : `${path}${SEPARATOR}${key}`, into);
    }
    return into;
  }
  return into.set(path, value);
}

function keysOf(name: string, items: readonly unknown[]): readonly string[] | undefined {
  const first = items[0] as Record<string, unknown> | undefined;
  return LIST_KEYS[name]?.find(([key]) => first !== undefined && key! in first);
}

function defaultKey(key: string): unknown {
  return key === "protocol" ? "TCP" : undefined;
}

function unflatten(leaves: ReadonlyMap<string, unknown>): unknown {
  const root: Record<string, unknown> = {};
  for (const [path, value] of leaves) {
    const steps = path.split(SEPARATOR);
    let at: Record<string, unknown> = root;
    steps.forEach((step, i) => {
      if (i === steps.length - 1) {
        // an empty map or list that has got something is no leaf any more
        const isEmpty = typeof value === "object" && value !== null &&
          Object.keys(value).length === 0;
        if (!(isEmpty && at[step] !== undefined)) at[step] = value;
        return;
      }
      if (typeof at[step] !== "object" || at[step] === null) at[step] = {};
      at = at[step] as Record<string, unknown>;
    });
  }
  return lists(root);
}

/** Turns maps whose keys are keys of items into lists. */
function lists(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (entries.length > 0 && entries.every(([key]) => key.startsWith('{"'))) {
    return entries.map(([, item]) => lists(item));
  }
  return Object.fromEntries(entries.map(([key, member]) => [key, lists(member)]));
}

function show(path: string): string {
  return "." + path.split(SEPARATOR).join(".").replace(/\.(\{[^}]*\})/g, "[$1]");
}
