/** `mp client`. @module */

import { optional, required } from "./argument.ts";
import { idempotencyKeyProblem } from "../rpc/idempotency_key.ts";
import { callService } from "./call_service.ts";
import { callerTarget } from "./caller.ts";
import type { Reached } from "../launch/driver.ts";
import { parseAddress } from "../peer/address.ts";
import { command, type Program } from "./command.ts";
import { listDeployments, type Search } from "./deployments.ts";
import { doorUrl } from "./door_url.ts";
import { findService, type ServiceDoor, userState } from "./find_deployment.ts";
import { formatJson } from "./format_json.ts";
import { duration, text, usage } from "./option.ts";
import { placeOf, placeOptions } from "./place_options.ts";
import { checkJson, readStdin } from "./read_json.ts";

/** Calls a service and prints its result. */
export const client = command({
  description: [
    "The service is looked up among the deployments that run here, unless --url says where it is. " +
    "The request is JSON, or - to read it from stdin; without one the service gets none.",
  ],
  arguments: {
    service: required({ description: "The service to call", candidates: "service" }),
    request: optional({ shown: "JSON", description: "The request, or - for stdin" }),
  },
  options: {
    url: text({ value: "URL", description: "Call the deployment at this address" }),
    app: text({ value: "APP", candidates: "app", description: "Whose service it is" }),
    ...placeOptions,
    user: text({
      short: "u",
      value: "NAME:PASSWORD",
      env: "MP_USER",
      description: "Say who calls, to a service that asks",
    }),
    token: text({ value: "TOKEN", env: "MP_TOKEN", description: "Say who calls, by a token" }),
    idempotencyKey: text({
      value: "KEY",
      description: "Carry the call out once, however often it is made with this key",
    }),
    timeout: duration({ value: "TIME", initial: "30s", description: "How long to wait" }),
  },
  examples: [
    { line: "mp client histogram-service", does: "A service that needs no request" },
    { line: `mp client search '{"query": "deno"}'`, does: "A request as JSON" },
    { line: "mp client search - < request.json", does: "A request from a file" },
    { line: "mp client buy '\"tea\"' --idempotency-key 7", does: "Once, however often it is made" },
    { line: "mp client search --url http://10.0.0.7:3000", does: "A deployment elsewhere" },
  ],
  async run({ arguments: { service, request }, options, output, program, signal }) {
    const { app, timeout, idempotencyKey } = options;
    const given = request === "-" ? await readStdin() : request;
    if (given !== undefined) checkJson(given, request === "-", "the request");
    const search = { name: app, place: placeOf(options), output };
    await using door = options.url === undefined
      ? await openDoor(await doorOf(service, program, search), program, signal)
      : undefined;
    const target = callerTarget(options.url ?? doorUrl(door!.address), options);
    const result = await callService({
      ...target,
      service,
      request: given,
      timeout,
      signal,
      ...(idempotencyKey !== undefined && { idempotencyKey: checkedKey(idempotencyKey) }),
    });
    if (output.stdout.isTerminal && !output.json) {
      output.result(formatJson(result, output.columns()));
    } else output.data(result);
  },
});

/** The way to a door: its address, or one that its driver opens where only the platform knows it. */
async function openDoor(
  { record: { handle }, address }: ServiceDoor,
  program: Program,
  signal: AbortSignal | undefined,
): Promise<Reached> {
  const at = parseAddress(address);
  const isName = at.transport === "tcp" && !/^[\d.]+$|:/.test(at.hostname) &&
    at.hostname !== "localhost";
  const driver = isName ? await program.drivers[handle.driver]?.() : undefined;
  if (driver?.reach) return await driver.reach(handle, address, signal);
  return { address, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** The door that answers for a service. Platforms are asked only when no launcher of this user has it. */
async function doorOf(
  service: string,
  program: Program,
  search: Search,
): Promise<ServiceDoor> {
  const { name: app, place, output } = search;
  if (place !== undefined) {
    return findService(await listDeployments(program, search), service, app);
  }
  const own = await userState(program).list();
  const known = own.some(({ handle }) =>
    (app === undefined || handle.app === app) &&
    handle.doors.some(({ methods }) => methods.includes(service))
  );
  return findService(known ? own : await listDeployments(program, { output }), service, app);
}

/** A header holds visible ASCII. @throws {MpError} `usage`. */
function checkedKey(key: string): string {
  const problem = /^[\x20-\x7e]*$/.test(key)
    ? idempotencyKeyProblem(key)
    : "holds a character that is not ASCII";
  if (problem === undefined) return key;
  throw usage(`Cannot read --idempotency-key: it ${problem}`);
}
