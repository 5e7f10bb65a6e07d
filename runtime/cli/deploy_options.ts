/**
 * The options that say what is deployed, and the order that they make.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { messageOf } from "../errors.ts";
import type { DriverSettings } from "../launch/driver.ts";
import type { DeployOrder } from "../launch/launcher.ts";
import type { Prepared, PrepareOptions } from "../launch/prepare.ts";
import type { Plan } from "../plan/plan.ts";
import { readOrigins } from "../rpc/origins.ts";
import { chooseStorage } from "../storage/choose_storage.ts";
import { telemetrySettings } from "../telemetry/telemetry_env.ts";
import { didYouMean } from "./near_name.ts";
import { flag, pairs, text, texts, usage, type Values, wholeNumber } from "./option.ts";
import { findEnvFileFault, parseEnvFile } from "./parse_env_file.ts";

/** Options that the plan depends on. */
export const planOptions = {
  name: text({ value: "APP", description: "Name the app" }),
  replicas: pairs({
    value: "PATH=N",
    candidates: "count",
    description: "Run so many replicas of a part",
    readValue: readCount,
  }),
  env: pairs({
    value: "KEY=VALUE",
    description: "Set an environment variable of every replica",
    readValue: (value) => value,
  }),
  envFile: texts({
    value: "FILE",
    candidates: "file",
    description: "Set the environment variables of a file",
  }),
  storage: text({
    value: "URL",
    description: "Where scopes live: file, redis, mysql, memory or a URL (also MP_STORAGE)",
  }),
  authUsers: text({
    value: "FILE",
    env: "MP_AUTH_USERS",
    candidates: "file",
    description: "The htpasswd file of who may call, where the script names no users",
  }),
  cors: texts({
    value: "ORIGIN",
    env: "MP_CORS",
    description: "Let web pages of this origin call, such as https://shop.example; * for all",
  }),
};

/** Options that only a launch depends on. */
export const launchOptions = {
  driver: text({
    value: "NAME",
    aliases: ["runner"],
    env: "MP_DRIVER",
    candidates: "driver",
    description: "What runs the replicas",
  }),
  port: wholeNumber({
    value: "PORT",
    env: "MP_PORT",
    least: 0,
    most: 65_535,
    description: "Where to listen; 0 picks a free port; 3000 unless given",
  }),
  host: text({
    value: "HOST",
    env: "MP_HOST",
    description: "The address to listen on; 127.0.0.1 unless given",
  }),
  inspect: text({
    value: "PATH",
    candidates: "path",
    description: "Start the first replica of a path with the inspector, at 127.0.0.1:9229",
  }),
  linuxBinary: text({
    value: "FILE",
    env: "MP_LINUX_BINARY",
    candidates: "file",
    description: "For containers: the mp for Linux that images are made of, where this one is not",
  }),
  baseImage: text({
    value: "IMAGE",
    description: "For containers: an image with Deno that images are made of, in place of this mp",
  }),
  imagePrefix: text({
    value: "PREFIX",
    env: "DOCKER_IMAGE_PREFIX",
    description: "For containers: what stands before the names of images",
  }),
  registry: text({
    value: "HOST",
    env: "DOCKER_REGISTRY",
    description: "For containers: the registry in the names of images",
  }),
  image: text({
    value: "IMAGE",
    env: "MP_IMAGE",
    description: "For Kubernetes: the image with mp that pods run",
  }),
  namespace: text({
    short: "n",
    value: "NAME",
    env: "MP_NAMESPACE",
    description: "For Kubernetes: the namespace; that of the context unless given",
  }),
  context: text({
    value: "NAME",
    env: "MP_CONTEXT",
    description: "For Kubernetes: the context of the kubeconfig; the current one unless given",
  }),
  volumeClaim: text({
    value: "NAME",
    description: "For Kubernetes: the PersistentVolumeClaim for --storage file",
  }),
  recreate: flag({
    description: "For Kubernetes: end the old replicas before an update starts the new",
  }),
  push: flag({ description: "For containers: push the image to its registry" }),
};

type PlanValues = Values<typeof planOptions>;

/** How a script is prepared with these options. @throws {MpError} `usage` for a file that cannot be read. */
export function preparation(
  script: string,
  { name, replicas, env, envFile, storage, authUsers, cors }: PlanValues,
): Pick<PrepareOptions, "script" | "name" | "widths" | "env"> {
  return {
    script,
    name,
    widths: Object.fromEntries(replicas),
    env: {
      // a deployment in the background, or one that is updated, has another environment
      ...telemetrySettings(Deno.env.toObject()),
      ...Object.assign({}, ...envFile.map(readEnvFile)),
      ...Object.fromEntries(env),
      // the option beats what the environment says
      ...(storage !== undefined && { MP_STORAGE: checkedStorage(storage, script) }),
      ...(authUsers !== undefined && { MP_AUTH_USERS: resolve(authUsers) }),
      ...(cors.length > 0 && { MP_CORS: cors.flatMap(readOrigins).join(" ") }),
    },
  };
}

/** @throws {MpError} `usage` for what names no storage. */
function checkedStorage(storage: string, script: string): string {
  chooseStorage({ flag: storage, env: Deno.env.toObject(), folder: dirname(script) });
  return storage;
}

/** What is ordered beside what was prepared. */
export interface OrderParts {
  readonly version: string;
  readonly driver: string;
  readonly options: Values<typeof launchOptions>;
  readonly preparation: Pick<PrepareOptions, "widths" | "env">;
}

/** The order to deploy what was prepared. @throws {MpError} `usage` when there is nothing to inspect. */
export function deployOrder(
  { plan, bundle, storage }: Extract<Prepared, { kind: "topology" }>,
  { version, driver, options, preparation: { widths, env } }: OrderParts,
): DeployOrder {
  const { host, port, inspect } = options;
  if (inspect !== undefined) checkInspect(inspect, plan);
  const { code, map, hash, script } = bundle;
  return {
    version,
    driver,
    plan,
    bundle: { code, map, hash, script },
    env,
    widths,
    cwd: Deno.cwd(),
    ...(storage && { storage }),
    host,
    port,
    inspect,
    settings: settingsOf(options),
  };
}

/** Options that are no driver's alone. */
const GENERAL: readonly string[] = ["driver", "port", "host", "inspect"];

/** What only drivers know: all that was given of it. What else a command has for options is not theirs. */
function settingsOf(options: Values<typeof launchOptions>): DriverSettings {
  const { linuxBinary } = options;
  const settings: Readonly<Record<string, unknown>> = {
    ...options,
    linuxBinary: linuxBinary === undefined ? undefined : resolve(linuxBinary),
  };
  return Object.fromEntries(
    Object.keys(launchOptions).filter((name) => !GENERAL.includes(name))
      .map((name) => [name, settings[name]])
      .filter((entry): entry is [string, string | boolean] =>
        entry[1] !== undefined && entry[1] !== false
      ),
  );
}

/** The driver of that name, or the one that is meant without a name. @throws {MpError} `usage`. */
export function checkDriver(name: string | undefined, known: readonly string[]): string {
  if (name === undefined) return known[0]!;
  if (known.includes(name)) return name;
  const all = `The drivers are ${known.join(", ")}`;
  throw usage(`Cannot use driver "${name}": there is none of that name`, {
    next: didYouMean(name, known, all),
  });
}

/** Reads a number of replicas. @throws {MpError} `usage`. */
export function readCount(written: string, name: string): number {
  const count = /^\d{1,6}$/.test(written) ? Number(written) : 0;
  if (count >= 1 && count <= 10_000) return count;
  throw usage(
    `Cannot read ${name}${JSON.stringify(written)}: it is not a whole number from 1 to 10000`,
  );
}

function checkInspect(path: string, { nodes }: Plan): void {
  const paths = nodes.map((node) => node.path);
  if (paths.includes(path)) return;
  throw usage(`Cannot inspect "${path}": there is no such path`, {
    next: didYouMean(path, paths, `The paths are ${paths.join(", ")}`),
  });
}

function readEnvFile(path: string): Record<string, string> {
  const cannot = `Cannot read --env-file "${path}"`;
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    throw usage(`${cannot}: ${missing ? "there is no such file" : messageOf(error)}`);
  }
  const line = findEnvFileFault(text);
  if (line === undefined) return parseEnvFile(text);
  // the line itself is not shown, for it may hold a secret
  throw usage(`${cannot}: a line is neither NAME=VALUE nor a comment`, {
    where: `${path}:${line}`,
    next: "Correct the line, or begin it with #",
  });
}
