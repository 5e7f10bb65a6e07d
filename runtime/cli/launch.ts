/** `mp launch`, which `mp run -d` starts in the background. @module */

import { join } from "node:path";
import { claimApp } from "../launch/claim_app.ts";
import type { SuccessorReport } from "../launch/detach.ts";
import { toErrorRecord } from "../launch/error_record.ts";
import type { DeployOrder } from "../launch/launcher.ts";
import { command, type CommandContext } from "./command.ts";
import { userState } from "./find_deployment.ts";
import { output } from "./output.ts";
import { type RunView, runView } from "./run_view.ts";
import { sink } from "./sink.ts";
import { aborted, stopSignals } from "./stop_signals.ts";
import { supervise } from "./supervise.ts";

/** Launches what stdin orders, and supervises it. */
export const launch = command({
  description: [],
  arguments: {},
  options: {},
  examples: [],
  async run(context) {
    const order = JSON.parse(await new Response(Deno.stdin.readable).text()) as DeployOrder;
    const report = (what: SuccessorReport) => context.output.data(what);
    try {
      await launchOrder(order, context, report);
    } catch (error) {
      report({ report: "failed", error: toErrorRecord(error) });
      return 1;
    }
  },
});

async function launchOrder(
  order: DeployOrder,
  { program }: CommandContext,
  report: (what: SuccessorReport) => void,
): Promise<void> {
  using stop = stopSignals(() => Deno.exit(130));
  const state = userState(program);
  const { lock, running } = await claimApp(state, order.plan.app, stop.signal);
  if (running) {
    // another run of the same app came first
    using launcher = running.launcher;
    const { handle } = await launcher.update(order);
    return report({ report: "ready", handle, pid: running.record.launcher.pid });
  }
  const { pid } = Deno;
  using file = await Deno.open(join(state.folder(order.plan.app), "launcher.log"), {
    create: true,
    append: true,
    mode: 0o600,
  });
  await supervise(order, lock, {
    state,
    stop,
    driver: program.drivers[order.driver]!,
    view: fileView(order, file),
    onAccepted: (handle) => report({ report: "accepted", handle, pid }),
    onReady: (handle) => report({ report: "ready", handle, pid }),
    whileReady: (launcher) => Promise.race([launcher.ended, aborted(stop.signal)]),
  });
}

/** Keeps what happens in a file. What replicas print has files of its own. */
function fileView({ plan }: DeployOrder, file: Deno.FsFile): RunView {
  const stream = { sink: sink(file), isTerminal: false };
  const view = runView(
    plan,
    output({
      stdout: stream,
      stderr: stream,
      json: true,
      logLevel: "info",
      color: () => false,
      size: () => undefined,
    }),
  );
  return { ...view, news: (item) => item.kind !== "line" && view.news(item) };
}
