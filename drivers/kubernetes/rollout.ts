/**
 * Why a tree of replicas does not become ready.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { KubeClient } from "./api/kube_client.ts";
import type { KubeObject } from "./kube_object.ts";
import type { Seen } from "./pod_board.ts";
import type { Pod } from "./pod_status.ts";

/** How long a pod may wait for a node, which may have to be bought first, in milliseconds. */
export const SCHEDULING = 300_000;
/** How many of the last lines are told. */
const LAST_LINES = 10;

/** Where a tree is rolled out. */
export interface RolloutContext {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly app: string;
  /** How a replica is named to people. */
  label(replica: Seen): string;
}

/** The error of a tree in which a replica will never be ready; nothing while all may still be. */
export async function findStuck(
  seen: readonly Seen[],
  context: RolloutContext,
  now: number,
): Promise<MpError | undefined> {
  const stuck = seen.find(({ judgement }) => judgement.stuck !== undefined);
  if (stuck) return await explain(stuck, context);
  const homeless = seen.find(({ judgement: { unschedulableSince } }) =>
    unschedulableSince !== undefined && now - unschedulableSince > SCHEDULING
  );
  if (!homeless) return undefined;
  return new MpError(
    "launch_failed",
    `Cannot run ${context.label(homeless)}: ${homeless.judgement.message}`,
    {
      replica: context.label(homeless),
      next: "Add nodes, or ask for less resources",
      reason: "unschedulable",
    },
  );
}

async function explain(stuck: Seen, context: RolloutContext): Promise<MpError> {
  const label = context.label(stuck);
  const { judgement: { stuck: why, message, restarts }, pod } = stuck;
  if (why === "crash") {
    const said = await lastLines(pod, context);
    const quoted = said.length > 0
      ? `. It said last:\n${said.map((line) => `  ${line}`).join("\n")}`
      : "";
    return new MpError(
      "crash_loop",
      `Cannot keep ${label} running: ${message}, ${restarts + 1} times in a row${quoted}`,
      { replica: label, next: `Read what it wrote: mp logs ${context.app}` },
    );
  }
  return new MpError("launch_failed", `Cannot run ${label}: ${message}`, {
    replica: label,
    reason: why,
    next: why === "image"
      ? "Check --image, and that the nodes may pull it from its registry"
      : `Look at it with kubectl describe pod ${pod.metadata.name} -n ${context.namespace}`,
  });
}

/** What the container that ended wrote last. */
async function lastLines(
  { metadata }: Pod,
  { client, namespace }: RolloutContext,
): Promise<string[]> {
  for (const previous of [true, false]) {
    try {
      const lines: string[] = [];
      const pod = { name: metadata.name, namespace };
      for await (const line of client.logs(pod, { previous, tailLines: LAST_LINES })) {
        lines.push(line);
      }
      if (lines.length > 0) return lines;
    } catch {
      // it has gone meanwhile, or nothing ran before
    }
  }
  return [];
}

/** Why pods are not even made, such as a quota; nothing when they are. */
export async function findShortage(
  workloads: readonly KubeObject[],
  { client, namespace, app }: RolloutContext,
  signal: AbortSignal,
): Promise<MpError | undefined> {
  for (const { kind, metadata: { name } } of workloads) {
    const { items } = await client.list<EventObject>({ apiVersion: "v1", kind: "Event" }, {
      namespace,
      fields: kind === "Deployment"
        ? "reason=FailedCreate"
        : `involvedObject.name=${name},reason=FailedCreate`,
      signal,
    }).catch(() => ({ items: [] as EventObject[] }));
    const failed = items.filter(({ involvedObject }) =>
      // the pods of a Deployment are made by its ReplicaSet, whose name begins with its own
      involvedObject?.name === name || involvedObject?.name?.startsWith(`${name}-`)
    ).at(-1);
    if (!failed?.message) continue;
    const quota = /exceeded quota: (.*)$/s.exec(failed.message)?.[1];
    const unnamed = /failed quota: \S+: must specify (\S+)/.exec(failed.message)?.[1];
    const why = quota ? `it exceeds the quota ${quota}` : failed.message;
    return new MpError(
      "launch_failed",
      `Cannot run "${app}": no pod of ${name} can be made: ${why}`,
      {
        reason: quota ? "quota" : "refused",
        next: quota
          ? "Run fewer replicas or ask for less resources, or have the quota raised"
          : unnamed
          ? "Give each service resources: { cpu, memory } in the script; they are its limits, too"
          : `See kubectl describe ${kind.toLowerCase()} ${name} -n ${namespace}`,
      },
    );
  }
  return undefined;
}

interface EventObject extends KubeObject {
  readonly involvedObject?: { readonly name?: string; readonly kind?: string };
  readonly reason?: string;
  readonly message?: string;
}
