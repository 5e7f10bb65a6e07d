/**
 * Names of objects. Pure.
 *
 * @module
 */

import { hash32 } from "../../runtime/hash.ts";

/** What a label's value, a Service and a pod's host name may have. */
export const LONGEST_NAME = 63;

/** A StatefulSet's pods carry its name with a hash of ten letters as a label, and with their ordinal as their own. */
export const LONGEST_WORKLOAD = 52;

/**
 * A name made of parts: DNS labels joined with `-`. One that is too long is cut and ends with a hash of the whole,
 * so that it is the same each time and another than that of any other parts. One that begins with a digit, as a
 * Service's may not, gets `mp-` before it.
 *
 * @param parts What it is made of; dots in them become `-`.
 * @param longest How many characters it may have.
 */
export function kubeName(parts: readonly string[], longest: number = LONGEST_NAME): string {
  const joined = parts.join("-").replaceAll(".", "-");
  const whole = /^[0-9]/.test(joined) ? `mp-${joined}` : joined;
  if (whole.length <= longest) return whole;
  const hash = hash32(parts.join("/")).toString(16).padStart(8, "0");
  // what comes last says the tree; the middle says least
  const last = parts.length > 1 ? `-${parts.at(-1)!.replaceAll(".", "-")}` : "";
  const room = longest - hash.length - 1 - last.length;
  if (room < 1) return `${cut(whole, longest - hash.length - 1)}-${hash}`;
  return `${cut(whole, room)}-${hash}${last}`;
}

/**
 * The names of workloads by path. Two paths that would share a name (`a-b` and `a.b`) are told apart by a hash.
 *
 * @param paths The paths of the plan.
 * @param tree The tree of replicas that they belong to.
 */
export function workloadNames(paths: readonly string[], tree: string): Map<string, string> {
  const plain = (path: string) => kubeName([path, tree], LONGEST_WORKLOAD);
  const names = new Map<string, string>();
  const shared = new Map<string, number>();
  for (const path of paths) shared.set(plain(path), (shared.get(plain(path)) ?? 0) + 1);
  for (const path of paths) {
    const name = plain(path);
    const hash = hash32(path).toString(16).padStart(8, "0");
    const isShared = shared.get(name)! > 1 && path.includes(".");
    names.set(path, isShared ? kubeName([path, hash, tree], LONGEST_WORKLOAD) : name);
  }
  return names;
}

/** The value of a label for a path; the whole path stands in an annotation where it is too long. */
export function labelValue(value: string): string {
  if (value.length <= LONGEST_NAME) return value;
  const hash = hash32(value).toString(16).padStart(8, "0");
  return `${cut(value, LONGEST_NAME - hash.length - 1)}-${hash}`;
}

function cut(text: string, length: number): string {
  return text.slice(0, Math.max(1, length)).replace(/[-.]+$/, "");
}
