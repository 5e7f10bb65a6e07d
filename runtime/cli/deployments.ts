/**
 * What is deployed: by launchers of this user, and on platforms that know of it by themselves.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import { connectLauncher, type RemoteLauncher } from "../launch/connect_launcher.ts";
import type { Driver, DriverSettings } from "../launch/driver.ts";
import { recoverLauncher } from "../launch/recover_launcher.ts";
import type { DeployOrder } from "../launch/launcher.ts";
import type { KnownDeployment } from "../launch/state.ts";
import type { Program } from "./command.ts";
import { deploymentOf, userState } from "./find_deployment.ts";
import type { Output } from "./output.ts";

/** How long a platform may take to tell what it has, in milliseconds. */
const PATIENCE = 5_000;

/** Which deployments are looked for. */
export interface Search {
  /** The app or script, if it is a certain one: then platforms are asked only when no launcher of this user has it. */
  readonly name?: string;
  /** Only those there; what cannot be seen is an error then. */
  readonly place?: DriverSettings;
  /** Told of platforms that do not answer. */
  readonly output?: Pick<Output, "say">;
}

/** All deployments that can be reached from here, by name. */
export async function listDeployments(
  program: Program,
  { name, place, output }: Search = {},
): Promise<readonly KnownDeployment[]> {
  const records: readonly KnownDeployment[] = await userState(program).list();
  if (place !== undefined) return await listThere(program, records, place);
  if (name !== undefined && deploymentOf(records, name)) return records;
  const found = await discoverDeployments(program, undefined, { output });
  const others = found.filter(({ handle }) =>
    !records.some((one) => one.handle.app === handle.app && one.handle.driver === handle.driver)
  );
  return [...records, ...others].sort((a, b) => a.handle.app < b.handle.app ? -1 : 1);
}

/** The deployments at a place; of those that a launcher of this user has put there, what it says of them. */
async function listThere(
  program: Program,
  records: readonly KnownDeployment[],
  place: DriverSettings,
): Promise<readonly KnownDeployment[]> {
  const names = Object.keys(place);
  const all: KnownDeployment[] = [];
  for (const [driver, load] of Object.entries(program.drivers)) {
    const { places = [] } = await load();
    if (!names.every((name) => places.includes(name))) continue;
    const own = records.filter(({ handle }) =>
      handle.driver === driver && names.every((name) => handle.settings?.[name] === place[name])
    );
    const found = await discoverDeployments(program, { driver, settings: place });
    const others = found.filter(({ handle }) => !own.some((one) => one.handle.app === handle.app));
    all.push(...own, ...others);
  }
  return all.sort((a, b) => a.handle.app < b.handle.app ? -1 : 1);
}

/**
 * What the platforms know of. One that does not answer in time has nothing, unless it is the only one that is asked.
 *
 * @param options `patience`: how long a platform may take, in milliseconds; `output`: told who did not answer.
 * @throws {MpError} `deadline_exceeded`.
 */
export async function discoverDeployments(
  program: Program,
  only?: Pick<DeployOrder, "driver" | "settings"> & { readonly app?: string },
  { patience = PATIENCE, output }: {
    readonly patience?: number;
    readonly output?: Pick<Output, "say">;
  } = {},
): Promise<KnownDeployment[]> {
  const names = only ? [only.driver] : Object.keys(program.drivers);
  const all = await Promise.all(names.map(async (name) => {
    const { discover } = await program.drivers[name]!();
    if (!discover) return [];
    const signal = AbortSignal.timeout(patience);
    try {
      const settings = only && (only.settings ?? {});
      return await Array.fromAsync(
        discover({ ...(only?.app !== undefined && { app: only.app }), settings, signal }),
      );
    } catch (error) {
      if (!signal.aborted) throw error;
      const silent = `${name} has not answered for ${patience / 1000} s`;
      if (!only) {
        output?.say("warning", `What runs there is not known: ${silent} (see mp doctor)`);
        return [];
      }
      // who is about to launch must know what is there
      throw new MpError("deadline_exceeded", `Cannot find out what runs there: ${silent}`, {
        cause: error,
        next: "Run mp doctor, which says what does not work here",
      });
    }
  }));
  return all.flat();
}

/** The launcher of a deployment; whoever gets it disposes it. @throws {MpError} */
export async function reachLauncher(
  known: KnownDeployment,
  program: Program,
): Promise<RemoteLauncher> {
  const { control, launcher, handle } = known;
  if (control && launcher) return await connectLauncher({ control, launcher, handle });
  return await recoverLauncher(handle, {
    driver: await driverOf(known, program),
    state: userState(program),
  });
}

/** The driver that runs a deployment. */
export async function driverOf(
  { handle }: Pick<KnownDeployment, "handle">,
  program: Program,
): Promise<Driver> {
  return await program.drivers[handle.driver]!();
}
