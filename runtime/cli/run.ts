/** `mp run`. @module */

import type { MpError } from "../errors.ts";
import type { DeployOrder } from "../launch/launcher.ts";
import { prepare, type Prepared } from "../launch/prepare.ts";
import { type Bundle, stopBundler } from "../script/bundle.ts";
import { adviseOnStorage } from "./advise_on_storage.ts";
import { required } from "./argument.ts";
import { attach, type Followed, type Updates } from "./attach.ts";
import { checkFirst, checkOptions } from "./check_first.ts";
import { command, type CommandContext, type Program } from "./command.ts";
import {
  checkDriver,
  deployOrder,
  launchOptions,
  planOptions,
  preparation,
} from "./deploy_options.ts";
import { discoverDeployments, reachLauncher } from "./deployments.ts";
import { userState } from "./find_deployment.ts";
import { dryRun } from "./dry_run.ts";
import { duration, flag, text, usage } from "./option.ts";
import { passOn } from "./pass_on.ts";
import { runDetached } from "./run_detached.ts";
import { type StopSignals, stopSignals } from "./stop_signals.ts";
import { warnOfUnusedUsers } from "./warn_of_unused_users.ts";
import { watchFiles } from "./watch_files.ts";

const options = {
  detach: flag({ short: "d", description: "Run in the background" }),
  wait: flag({ description: "With -d: wait until every replica is ready" }),
  timeout: duration({ value: "TIME", initial: "60s", description: "With --wait: how long" }),
  watch: flag({ short: "w", description: "Update whenever a file of the script changes" }),
  dryRun: text({
    value: "server",
    candidates: ["server"],
    description: "For Kubernetes: only have the cluster say what it would make",
  }),
  ...planOptions,
  ...checkOptions,
  ...launchOptions,
};
const args = { script: required({ description: "The topology script", candidates: "file" }) };

/** Launches a script, or updates its deployment. */
export const run = command({
  description: [
    "Every replica is started and supervised, and what it prints is shown. Ctrl-C drains and stops " +
    "everything; a second Ctrl-C ends it at once.",
    "When the app runs already, it is updated: the new replicas are started beside the old, and take over " +
    "when all are ready. A script that makes no service is a program: it runs, and its exit status is passed on.",
  ],
  arguments: args,
  options,
  rest: "Arguments of the script, if it is a program",
  examples: [
    { line: "mp run topology.ts", does: "Until Ctrl-C" },
    { line: "mp run topology.ts -d --wait", does: "In the background, when all is ready" },
    { line: "mp run topology.ts --watch", does: "With an update at every change of a file" },
    {
      line: "mp run topology.ts --replicas api.compute=8 --env-file .env",
      does: "With other settings",
    },
  ],
  run: runScript,
});

type Context = CommandContext<typeof args, typeof options>;

async function runScript(context: Context): Promise<number> {
  const { options, program, output, arguments: { script } } = context;
  checkCombinations(options);
  const driver = checkDriver(options.driver, Object.keys(program.drivers));
  let endAtOnce = (): void => Deno.exit(130);
  using stop = stopSignals(() => endAtOnce());
  const preparing = preparation(script, options);
  const prepareAgain = async (stdin: "inherit" | "null") => {
    await checkFirst(script, options, { output, signal: stop.signal });
    return await prepare({
      ...preparing,
      args: context.rest,
      stdin,
      signal: stop.signal,
      onOutput: passOn(output),
      ...(options.detach && { notProgram: notInBackground }),
    });
  };
  const parts = { version: program.version, driver, options, preparation: preparing };
  // what comes next is loaded while the script is bundled
  const driverLoading = program.drivers[driver]!();
  driverLoading.catch(() => {}); // awaited where it is used
  const prepared = await prepareAgain("inherit");
  if (!options.watch) stopBundler();
  if (prepared.kind === "program") return await runProgram(context, prepared, stop);
  const order = deployOrder(prepared, parts);
  warnOfUnusedUsers(order.plan, {
    users: options.authUsers,
    fromEnvironment: program.env("MP_AUTH_USERS"),
  }, (text) => output.say("warning", text));
  if (options.dryRun !== undefined) {
    return await dryRun(order, await driverLoading, { output, signal: stop.signal });
  }
  const state = userState(program);
  const advice = adviseOnStorage(order.storage, program, stop.signal);
  const found = () => findLeft(order, program);
  if (options.detach) {
    const driver = () => driverLoading;
    return await runDetached(order, { ...context, state, stop, advice, driver, found });
  }
  const keeping = program.keepForNext?.();
  try {
    return await attach(order, {
      advice,
      state,
      output,
      stop,
      driver: () => driverLoading,
      found,
      endsAtOnce: (end) => endAtOnce = end,
      updates: options.watch
        ? watchScript(prepared, async () => {
          const next = await prepareAgain("null");
          if (next.kind === "program") return await noService(next, order.plan.app);
          return { order: { ...deployOrder(next, parts), keepScale: true }, bundle: next.bundle };
        })
        : undefined,
    });
  } finally {
    await keeping;
  }
}

/** The deployment of the app on the order's platform that has no launcher. */
async function findLeft(
  { driver, plan: { app }, settings }: DeployOrder,
  program: Program,
): Promise<Followed | undefined> {
  const [record] = await discoverDeployments(program, { app, driver, settings });
  return record && { record, launcher: await reachLauncher(record, program) };
}

/** The orders to update what runs, one after each change of a file that the script is made of. */
function watchScript(
  { bundle: { inputs } }: Prepared,
  prepareAgain: () => Promise<{ readonly order: DeployOrder; readonly bundle: Bundle }>,
): Updates {
  const watching = new AbortController();
  const changes = watchFiles(() => inputs, watching.signal);
  async function* orders() {
    for await (const _ of changes) {
      yield async () => {
        const { order, bundle } = await prepareAgain();
        inputs = bundle.inputs;
        return order;
      };
    }
  }
  return { orders: orders(), end: () => watching.abort() };
}

async function noService({ program }: ProgramPrepared, app: string): Promise<never> {
  program.kill("SIGKILL");
  await program.status;
  throw usage(`Cannot update "${app}": the script makes no service any more`);
}

type ProgramPrepared = Extract<Prepared, { kind: "program" }>;

function checkCombinations({ detach, wait, watch, dryRun }: Context["options"]): void {
  if (dryRun !== undefined && dryRun !== "server") {
    throw usage(`Cannot read --dry-run ${JSON.stringify(dryRun)}: it is not "server"`, {
      next: "Give --dry-run=server, or use mp plan, which needs no cluster",
    });
  }
  if (wait && !detach) {
    throw usage("Cannot use --wait alone: it says when -d is done", {
      next: "Add -d, or leave it out",
    });
  }
  if (watch && detach) {
    throw usage("Cannot use --watch with -d: the terminal shows what does not build", {
      next: "Leave one of the two out",
    });
  }
}

function notInBackground(): MpError {
  return usage("Cannot use -d with this script: it makes no service", {
    next: "Run it without -d, as a program",
  });
}

/** A script that makes no service: its process goes on, and its exit status is that of the command. */
async function runProgram(
  { options, output }: Context,
  { program }: ProgramPrepared,
  stop: StopSignals,
): Promise<number> {
  if (options.watch) {
    output.say("warning", "--watch does nothing here: the script makes no service");
  }
  // Ctrl-C on a terminal reaches the program too; other signals do not
  const onStop = () => {
    if (stop.signal.reason !== "SIGINT" || !Deno.stdin.isTerminal()) {
      program.kill(stop.signal.reason as Deno.Signal);
    }
  };
  stop.signal.addEventListener("abort", onStop);
  const { code } = await program.status;
  return code;
}
