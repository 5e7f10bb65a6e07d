/** `mp ps`. @module */

import { toErrorRecord } from "../launch/error_record.ts";
import type { ReplicaStatus } from "../launch/driver.ts";
import type { LauncherStatus } from "../launch/launcher.ts";
import type { KnownDeployment } from "../launch/state.ts";
import { replicaLabel } from "../plan/replica_labels.ts";
import { showPath } from "../script/show_path.ts";
import { optional } from "./argument.ts";
import { command, type Program } from "./command.ts";
import { doorUrl } from "./door_url.ts";
import { formatDuration } from "./duration.ts";
import { listDeployments, reachLauncher } from "./deployments.ts";
import { findDeployment } from "./find_deployment.ts";
import type { Output } from "./output.ts";
import type { Palette } from "./palette.ts";
import { placeOf, placeOptions } from "./place_options.ts";
import { isTrouble } from "./readiness.ts";
import { formatTable } from "./table.ts";

/** Lists deployments, or the replicas of one. */
export const ps = command({
  description: ["Without an app all deployments of this user are listed; with one, its replicas."],
  arguments: {
    app: optional({
      shown: "APP|SCRIPT",
      description: "The app, or its script",
      candidates: "app",
    }),
  },
  options: placeOptions,
  examples: [
    { line: "mp ps", does: "All deployments" },
    { line: "mp ps search", does: "Every replica of one" },
    { line: "mp ps --json", does: "Everything that is known, as JSON" },
  ],
  async run({ arguments: { app }, options, output, program }) {
    const records = await listDeployments(program, { name: app, place: placeOf(options), output });
    const wanted = app === undefined ? records : [findDeployment(records, app)];
    const found = await Promise.all(wanted.map((record) => look(record, program)));
    if (output.json) output.data(found.map(asData));
    else if (app !== undefined) showReplicas(found[0]!, output);
    else if (found.length > 0) output.result(deploymentTable(found, output.stdout.palette));
    else output.say("info", "No deployment is running: start one with mp run SCRIPT");
  },
});

/** A deployment, with what its launcher says, or why it does not. */
interface Found {
  readonly record: KnownDeployment;
  readonly status?: LauncherStatus;
  readonly error?: unknown;
}

async function look(record: KnownDeployment, program: Program): Promise<Found> {
  try {
    using launcher = await reachLauncher(record, program);
    return { record, status: await launcher.status() };
  } catch (error) {
    return { record, error };
  }
}

function asData({ record, status, error }: Found): unknown {
  if (status) return status;
  const { handle, plan, version, launcher } = record;
  return { handle, plan, version, pid: launcher?.pid, error: toErrorRecord(error) };
}

function deploymentTable(found: readonly Found[], palette: Palette): string {
  const rows = found.map(({ record: { handle, plan: known }, status }) => {
    const plan = status?.plan ?? known;
    const total = plan.nodes.reduce((sum, { replicas }) => sum + replicas, 0);
    const ready = status?.replicas.filter(isReady).length ?? 0;
    const state = !status
      ? palette.red("unreachable")
      : ready >= total
      ? palette.green("ready")
      : palette.yellow(status.replicas.some(isTrouble) ? "in trouble" : "starting");
    return [
      palette.bold(handle.app),
      state,
      `${ready}/${total}`,
      handle.doors.map(({ address }) => doorUrl(address)).join(" ") || "-",
      ageOf(Date.parse(handle.created)),
      handle.driver,
      status?.storage?.name ?? "-",
      showPath(handle.script),
    ];
  });
  return formatTable(
    ["APP", "STATE", "READY", "LISTENS ON", "AGE", "DRIVER", "STORAGE", "SCRIPT"],
    rows,
    palette,
  );
}

function showReplicas({ status, error }: Found, output: Output): void {
  if (!status) throw error;
  const { plan } = status;
  const { palette } = output.stdout;
  const order = new Map(plan.nodes.map(({ path }, i) => [path, i]));
  const sorted = [...status.replicas].sort((a, b) =>
    (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0) || a.index - b.index || a.tree - b.tree
  );
  const rows = sorted.map((replica) => [
    replicaLabel(plan, replica),
    stateOf(replica, palette),
    replica.pid === undefined ? "-" : String(replica.pid),
    String(replica.restarts),
    replica.since === undefined ? "-" : ageOf(replica.since),
    replica.message ?? replica.lastExit ?? "",
  ]);
  output.result(
    formatTable(["REPLICA", "STATE", "PID", "RESTARTS", "READY FOR", "LAST"], rows, palette),
  );
}

function isReady({ state }: ReplicaStatus): boolean {
  return state === "ready" || state === "busy";
}

function stateOf(replica: ReplicaStatus, { green, red, yellow }: Palette): string {
  if (replica.state === "ready") return green(replica.state);
  return isTrouble(replica) ? red(replica.state) : yellow(replica.state);
}

function ageOf(since: number): string {
  return formatDuration(Date.now() - since);
}
