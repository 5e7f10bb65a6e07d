/**
 * Checks what a replica's process loads, over all of its imports. The lint plugin (scripts/lint/) sees
 * one file at a time; this sees the whole graph.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { type GraphModule, judgeServingHalf } from "./lint/serving_half.ts";

/** The entry of the serving half. */
const ENTRY = "replica.ts";

/**
 * Checks the graph of a tree.
 *
 * @param root The URL of the tree's root, with a slash at the end.
 * @returns What is wrong, one sentence each.
 */
export async function checkGraph(root: URL): Promise<string[]> {
  const entry = new URL(ENTRY, root);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", fromFileUrl(entry)],
    cwd: fromFileUrl(root),
  }).output();
  const decoder = new TextDecoder();
  if (!success) return [`Cannot read the graph of ${ENTRY}: ${decoder.decode(stderr).trim()}`];
  const { modules } = JSON.parse(decoder.decode(stdout)) as { modules: GraphModule[] };
  const missing = modules.flatMap(({ error }) => error ? [`Cannot read the graph: ${error}`] : []);
  return [...missing, ...judgeServingHalf(modules, entry.href, root.href)];
}

if (import.meta.main) {
  const problems = await checkGraph(new URL("../", import.meta.url));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exit(1);
}
