/** `mp plan`. @module */

import { MpError } from "../errors.ts";
import { prepare } from "../launch/prepare.ts";
import { formatPlan } from "../plan/format_plan.ts";
import { stopBundler } from "../script/bundle.ts";
import { showPath } from "../script/show_path.ts";
import { required } from "./argument.ts";
import { checkFirst, checkOptions } from "./check_first.ts";
import { command } from "./command.ts";
import { planOptions, preparation } from "./deploy_options.ts";
import { passOn } from "./pass_on.ts";
import { warnOfUnusedUsers } from "./warn_of_unused_users.ts";

/** Shows what would run. */
export const plan = command({
  description: ["The script is loaded as mp run loads it, and nothing is launched."],
  arguments: { script: required({ description: "The topology script", candidates: "file" }) },
  options: { ...planOptions, ...checkOptions },
  examples: [
    { line: "mp plan topology.ts", does: "The tree of what would run" },
    { line: "mp plan topology.ts --json", does: "The plan itself" },
  ],
  async run({ arguments: { script }, options, output, program, signal }) {
    await checkFirst(script, options, { output, signal });
    const prepared = await prepare({
      ...preparation(script, options),
      signal,
      onOutput: passOn(output, "stderr"),
      notProgram: () => noService(script),
    }).finally(stopBundler);
    if (prepared.kind === "program") throw noService(script);
    warnOfUnusedUsers(prepared.plan, {
      users: options.authUsers,
      fromEnvironment: program.env("MP_AUTH_USERS"),
    }, (text) => output.say("warning", text));
    if (output.json) output.data(prepared.plan);
    else output.result(formatPlan(prepared.plan, output.stdout.palette));
  },
});

function noService(script: string): MpError {
  return new MpError("topology_invalid", `Cannot plan "${showPath(script)}": it makes no service`, {
    next: "Make one with mp.service(name, target), or run the script as a program with mp run",
  });
}
