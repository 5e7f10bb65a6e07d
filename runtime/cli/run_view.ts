/**
 * What `mp run` shows of a deployment.
 *
 * @module
 */

import { fromErrorRecord, toErrorRecord } from "../launch/error_record.ts";
import type { DeploymentHandle, LogLine, ReplicaStatus } from "../launch/driver.ts";
import type { Launcher, News, UpdateOutcome } from "../launch/launcher.ts";
import type { Plan } from "../plan/plan.ts";
import { replicaLabel } from "../plan/replica_labels.ts";
import { doorUrl } from "./door_url.ts";
import { type LiveBlock, liveBlock } from "./live_block.ts";
import type { LogLevel, Output } from "./output.ts";
import { prefixes } from "./prefix.ts";
import { describeTrouble, isTrouble, Readiness } from "./readiness.ts";
import { showError } from "./show_error.ts";

/** Shows what happens to one deployment. */
export interface RunView {
  /** Whether the update that is under way is this command's own, so that its failure is told by the command. */
  ownUpdate: boolean;
  /** Takes what is known of replicas before the first news. */
  begin(replicas: readonly ReplicaStatus[]): void;
  news(item: News): void;
  /** Every replica is ready. */
  ready(handle: DeploymentHandle): void;
  say(level: LogLevel, text: string): void;
  /** Shows an error that does not end the command. */
  error(error: unknown): void;
  /** Nothing follows. */
  close(): void;
}

/** What is said of a deployment without a door. */
export const NOTHING_EXPOSED: readonly string[] = [
  "Nothing is exposed, so nobody can call this app from outside",
  "Set expose of a service, or of one of its subservices, to true",
];

/** The view that fits the output: JSON, a live tree on a terminal, or plain lines. */
export function runView(plan: Plan, output: Output): RunView {
  if (output.json) return jsonView(output);
  return new TextView(plan, output);
}

/** Shows news until the launcher ends, or `signal` aborts. */
export async function show(
  launcher: Launcher,
  view: RunView,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  for await (const item of launcher.news(signal)) view.news(item);
}

function jsonView(output: Output): RunView {
  const view: RunView = {
    ownUpdate: false,
    begin(replicas) {
      for (const replica of replicas) output.data({ event: "replica", ...replica });
    },
    news(item) {
      const { kind, ...rest } = item;
      if (kind === "replica") output.data({ event: kind, ...item.event });
      else if (kind === "line") output.data({ event: kind, ...item.line });
      else if (kind !== "update failed" || !view.ownUpdate) output.data({ event: kind, ...rest });
    },
    ready: (handle) => output.data({ event: "ready", ...handle }),
    say: (level, message) => output.says(level) && output.data({ event: level, message }),
    error: (error) => output.data({ event: "error", error: toErrorRecord(error) }),
    close: () => {},
  };
  return view;
}

class TextView implements RunView {
  ownUpdate = false;
  #output: Output;
  #readiness: Readiness;
  #prefix: (line: LogLine) => string;
  /** The live tree; absent without a terminal, and when nothing is on its way. */
  #block: LiveBlock | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #frame = 0;
  /** Paths that plain lines have told to be ready. */
  #told = new Set<string>();
  /** What was last said of replicas that are in trouble, by label. */
  #troubled = new Map<string, string>();
  #starting = true;

  constructor(plan: Plan, output: Output) {
    this.#output = output;
    this.#readiness = new Readiness(plan);
    this.#prefix = prefixes(plan, output.stdout.palette);
    this.#animate();
  }

  begin(replicas: readonly ReplicaStatus[]): void {
    for (const replica of replicas) this.#readiness.take(replica);
    this.#draw();
  }

  news(item: News): void {
    switch (item.kind) {
      case "line":
        return this.#line(item.line);
      case "replica":
        return this.#replica(item.event);
      case "updating":
        return this.#updating(item.plan, item.how);
      case "updated":
        return this.#updated(item.outcome);
      case "update failed":
        this.#settle();
        return this.ownUpdate ? undefined : this.error(fromErrorRecord(item.error));
      case "warning":
        return this.say(
          "warning",
          [item.error.message, item.error.next ?? []].flat().join("\n  → "),
        );
      case "progress":
        return this.say("info", item.text);
      case "missed":
        return this.say("warning", `${item.count} lines left out, for nobody read them`);
      case "stopping":
        this.#settle();
        return this.say("info", `Stopping "${this.#readiness.plan.app}"`);
      case "stopped":
        return this.say("info", `Stopped "${this.#readiness.plan.app}"`);
    }
  }

  ready({ doors }: DeploymentHandle): void {
    this.#settle();
    const { bold } = this.#output.stdout.palette;
    for (const { address, methods } of doors) {
      const at = bold(`listening on ${doorUrl(address)}`);
      this.#write("stdout", `${at}: ${methods.join(", ")}\n`);
    }
    if (doors.length === 0) { for (const text of NOTHING_EXPOSED) this.say("warning", text); }
  }

  say(level: LogLevel, text: string): void {
    if (!this.#output.says(level)) return;
    const mark = level === "warning" ? `${this.#output.stderr.palette.yellow("warning")}: ` : "";
    this.#write("stderr", `${mark}${text}\n`);
  }

  error(error: unknown): void {
    const { stderr, says } = this.#output;
    this.#write("stderr", `${showError(error, stderr.palette, says("debug"))}\n`);
  }

  close(): void {
    this.#settle();
  }

  #line(line: LogLine): void {
    this.#write(line.stream, `${this.#prefix(line)}${line.text}\n`);
  }

  #replica(status: ReplicaStatus): void {
    const { plan } = this.#readiness;
    this.#readiness.take(status);
    const label = replicaLabel(plan, status);
    if (isTrouble(status)) this.#trouble(label, status);
    else if (status.state === "ready" && this.#troubled.delete(label) && !this.#starting) {
      this.say("info", `${label} is ready again`);
    }
    if (!this.#starting) return;
    if (this.#block) this.#draw();
    else this.#tell(status.path);
  }

  #trouble(label: string, status: ReplicaStatus): void {
    // what cannot start ends the command, or the update, with an error that says so
    if (status.state === "crash loop" && this.#starting) return;
    const text = `${label} is ${describeTrouble(status)}`;
    if (this.#troubled.get(label) === text) return;
    this.#troubled.set(label, text);
    // one that was told to restart is in no trouble
    const isTold = status.state === "restarting" &&
      (status.lastExit ?? "exited with 0") === "exited with 0";
    this.say(isTold ? "info" : "warning", text);
  }

  /** Without a terminal, a line says when all replicas of a path are ready. */
  #tell(path: string): void {
    const node = this.#readiness.plan.nodes.find((one) => one.path === path);
    if (!node || this.#told.has(path) || this.#readiness.ready(path) < node.replicas) return;
    this.#told.add(path);
    this.say("info", `${path}: ${node.replicas} ready`);
  }

  #updating(plan: Plan, how: UpdateOutcome["how"]): void {
    this.#settle();
    this.say("info", `Updating "${plan.app}" to revision ${plan.revision}`);
    this.#readiness.expect(plan, how === "new tree");
    this.#prefix = prefixes(plan, this.#output.stdout.palette);
    this.#told.clear();
    this.#starting = true;
    this.#animate();
  }

  #updated({ handle, plan }: UpdateOutcome): void {
    this.#settle();
    const { total } = this.#readiness;
    this.say(
      "info",
      `Updated "${plan.app}": ${total} ${total === 1 ? "replica" : "replicas"} ready`,
    );
    if (handle.doors.length === 0) this.ready(handle);
  }

  #animate(): void {
    const { stdout, stderr } = this.#output;
    if (!stdout.isTerminal || !stderr.isTerminal || !this.#output.says("info")) return;
    this.#block = liveBlock(stderr.sink);
    this.#timer = setInterval(() => {
      this.#frame++;
      this.#draw();
    }, 100);
    this.#draw();
  }

  #draw(): void {
    const lines = this.#readiness.lines(this.#output.stderr.palette, this.#frame);
    // what does not fit on the screen could not be drawn anew
    const most = Math.max(this.#output.rows() - 2, 3);
    const left = lines.length - most;
    this.#block?.draw(left > 0 ? [...lines.slice(0, most), `… ${left} more`] : lines);
  }

  /** Nothing is on its way any more: the tree stays as it is. */
  #settle(): void {
    this.#starting = false;
    if (!this.#block) return;
    this.#draw();
    this.#block.keep();
    this.#block = undefined;
    clearInterval(this.#timer);
  }

  #write(stream: "stdout" | "stderr", text: string): void {
    if (this.#block) this.#block.above(text);
    else this.#output[stream].sink.write(text);
  }
}
