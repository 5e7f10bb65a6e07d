/**
 * Which deployment somebody means.
 *
 * @module
 */

import { resolve } from "node:path";
import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";
import { type KnownDeployment, type StateFolder, stateFolder, stateRoot } from "../launch/state.ts";
import { showPath } from "../script/show_path.ts";
import type { Program } from "./command.ts";
import { didYouMean } from "./near_name.ts";
import { usage } from "./option.ts";

const START = "Start one with mp run SCRIPT";

/** The state folder of this user. */
export function userState(program: Program): StateFolder {
  return stateFolder(stateRoot(program.env));
}

/**
 * The deployment of an app or a script; without a name the only one there is.
 *
 * @param are What the records have in common, for messages.
 * @throws {MpError} `deployment_not_found`; `usage` when there are several and no name.
 */
export function findDeployment(
  records: readonly KnownDeployment[],
  name: string | undefined,
  are = "are running",
): KnownDeployment {
  if (name === undefined) {
    if (records.length === 1) return records[0]!;
    if (records.length === 0) throw none("Cannot find a deployment: none is running", START);
    throw usage(`Cannot tell which deployment is meant: ${records.length} ${are}`, {
      next: `Name one of ${appsOf(records)}`,
    });
  }
  const found = deploymentOf(records, name);
  if (found) return found;
  throw none(
    `Cannot find deployment "${name}": it is not running`,
    records.length === 0
      ? START
      : didYouMean(name, records.map(({ handle }) => handle.app), `Running: ${appsOf(records)}`),
  );
}

/** The deployment of an app or a script, if it is among the records. */
export function deploymentOf(
  records: readonly KnownDeployment[],
  name: string,
): KnownDeployment | undefined {
  return records.find(({ handle }) => handle.app === name) ??
    records.find(({ handle }) => handle.script === realPath(name));
}

/**
 * The deployment that words are about: the app or script that they begin with, else the only one there is.
 *
 * @param are What the records have in common, for messages.
 * @returns The deployment, and the words after its name.
 * @throws {MpError} As {@linkcode findDeployment}.
 */
export function takeDeployment(
  records: readonly KnownDeployment[],
  words: readonly string[],
  are?: string,
): { readonly record: KnownDeployment; readonly rest: readonly string[] } {
  const named = words[0] === undefined ? undefined : deploymentOf(records, words[0]);
  if (named) return { record: named, rest: words.slice(1) };
  if (records.length === 1) return { record: records[0]!, rest: words };
  const name = words[0] === undefined || isPath(words[0]) ? undefined : words[0];
  return { record: findDeployment(records, name, are), rest: words.slice(1) };
}

/** Whether a word is a path or `PATH=N`, and not an app that is misspelt: apps have neither dots nor `=`, scripts end so. */
function isPath(word: string): boolean {
  return /[.=]/.test(word) && !/[/\\]|\.[cm]?[jt]s$/.test(word);
}

/** Where a service is called. */
export interface ServiceDoor {
  readonly record: KnownDeployment;
  readonly address: Address;
}

/**
 * The door of the deployment that answers for a service.
 *
 * @param app Whose service it is to be, where several apps have one of that name.
 * @throws {MpError} `deployment_not_found`; `usage` when there are several and no app is named.
 */
export function findService(
  records: readonly KnownDeployment[],
  service: string,
  app: string | undefined,
): ServiceDoor {
  const among = app === undefined ? records : [findDeployment(records, app)];
  const doors = among.flatMap((record) =>
    record.handle.doors.filter(({ methods }) => methods.includes(service)).slice(0, 1)
      .map(({ address }) => ({ record, address }))
  );
  if (doors.length === 1) return doors[0]!;
  if (doors.length > 1) {
    throw usage(
      `Cannot tell which "${service}" is meant: ${doors.length} apps have a service of that name`,
      { next: `Add --app, one of ${appsOf(doors.map(({ record }) => record))}` },
    );
  }
  const call = `Cannot call "${service}"`;
  if (among.length === 0) throw none(`${call}: no deployment is running`, START);
  const hidden = among.find(({ plan }) =>
    plan.nodes.some((node) => node.path === service || node.service === service)
  );
  if (hidden) {
    throw none(
      `${call}: app "${hidden.handle.app}" does not expose it`,
      "Expose it in the script: set expose of the service, or of its subservice, to true",
    );
  }
  const exposed = among.flatMap(({ handle }) => handle.doors.flatMap(({ methods }) => methods));
  const problem = app === undefined
    ? "no running deployment has a service of that name"
    : `app "${among[0]!.handle.app}" has no service of that name`;
  throw none(
    `${call}: ${problem}`,
    didYouMean(
      service,
      exposed,
      exposed.length > 0 ? `Exposed services: ${exposed.join(", ")}` : "See mp ps",
    ),
  );
}

/** `search (examples/search/topology.ts)`. */
export function describeRecord({ handle }: KnownDeployment): string {
  return `${handle.app} (${showPath(handle.script)})`;
}

function appsOf(records: readonly KnownDeployment[]): string {
  return records.map(({ handle }) => handle.app).join(", ");
}

function none(message: string, next: string): MpError {
  return new MpError("deployment_not_found", message, { next });
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return resolve(path);
  }
}
