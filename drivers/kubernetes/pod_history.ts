/**
 * What pods have written, as the cluster keeps it.
 *
 * @module
 */

import type { LogLine, LogOptions } from "../../runtime/launch/driver.ts";
import type { KubeClient } from "./api/kube_client.ts";
import { atOnce } from "./at_once.ts";
import { parsePodLine } from "./pod_lines.ts";
import type { Seen } from "./pod_board.ts";

/** How many logs are read at once. */
const MOST = 8;

/** The lines of all replicas that are wanted, in the order of time. A pod that has written nothing yet has none. */
export async function podHistory(
  seen: readonly Seen[],
  { client, namespace }: { readonly client: KubeClient; readonly namespace: string },
  { replica = () => true, tail, since, signal }: LogOptions,
): Promise<LogLine[]> {
  const wanted = seen.filter((one) => replica(one));
  const logs = await atOnce(wanted, MOST, async ({ pod, path, index }) => {
    const lines: LogLine[] = [];
    if (tail === 0) return lines;
    try {
      const all = client.logs({ name: pod.metadata.name, namespace }, {
        timestamps: true,
        ...(tail !== undefined && { tailLines: tail }),
        ...(since !== undefined && { sinceTime: new Date(since).toISOString() }),
        ...(signal && { signal }),
      });
      for await (const text of all) lines.push(parsePodLine(text, { path, index }));
    } catch (error) {
      if (signal?.aborted) throw error;
      // its container has not begun, or it is gone
    }
    // the cluster counts whole seconds
    return since === undefined ? lines : lines.filter(({ time }) => time >= since);
  });
  return logs.flat().sort((a, b) => a.time - b.time);
}
