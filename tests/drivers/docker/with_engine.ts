// The real program with containers: what tests of whole deployments share.
import { assertEquals } from "@std/assert";
import { ensureImage, removeImages } from "../../../drivers/docker/image.ts";
import { LABELS, withLabels } from "../../../drivers/docker/names.ts";
import type { ListedContainer } from "../../../drivers/docker/containers.ts";
import { stopBundler } from "../../../runtime/script/bundle.ts";
import { leftInEngine, needsEngine, testEngine } from "../../support/engine.ts";
import { mpSandbox, type Sandbox } from "../../support/mp.ts";
import type { Program } from "../../support/program.ts";

/** Whether there is an engine. */
export const needs = await needsEngine();

/** How long anything may take that is waited for. */
export const PATIENCE = { timeout: 180_000 };

/** Where the engine is, which a sandbox hides. */
export const ENGINE = { DOCKER_HOST: `unix://${testEngine().address.socketPath}` };

/** The text of a script, without the lines that all of them have. */
export function script(body: string): string {
  return `import * as mp from "@metaparticle/mp";\n${body}\nmp.serve();\n`;
}

/** A sandbox whose deployments of an app are gone in the end, images and all. */
export async function withEngine(app: string, body: (sandbox: Sandbox) => Promise<void>) {
  const keeper = { app: `${app}-keeper`, bundle: { code: "", map: "", hash: "" } };
  await ensureImage(testEngine(), { ...keeper, settings: {}, version: "0.0.0" });
  // the bundler that made the serving half is a process of this one
  await stopBundler();
  const sandbox = await mpSandbox(undefined, ENGINE);
  try {
    await body(sandbox);
  } finally {
    await sandbox.run(["delete", app, "--images"]);
    await sandbox[Symbol.asyncDispose]();
  }
  assertEquals(await leftInEngine(app), []);
  // only now what is below it goes, unless others need it
  await removeImages(testEngine(), keeper.app);
}

/** A deployment that `mp run --driver docker` is attached to. */
export interface Attached {
  readonly program: Program;
  readonly url: string;
  /** Calls a service. @throws {Error} With the message of an error that is answered. */
  call(service: string, ...params: unknown[]): Promise<unknown>;
  /** Stops it as Ctrl-C does. */
  stop(): Promise<void>;
}

/** Launches a script, and waits until it is ready. */
export async function attach(
  sandbox: Sandbox,
  file: string,
  ...args: readonly string[]
): Promise<Attached> {
  const program = sandbox.start(["run", file, "--driver", "docker", "--port", "0", ...args]);
  const line = await program.line(/http:\/\/127\.0\.0\.1:\d+/, PATIENCE);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)![0];
  return {
    program,
    url,
    call: (service, ...params) => call(url, service, params),
    async stop() {
      program.kill("SIGINT");
      assertEquals((await program.ended).code, 0, program.lines.join("\n"));
    },
  };
}

/** Calls a service over a connection of its own. @throws {Error} With what was answered, or that nothing was. */
export async function call(url: string, method: string, params: readonly unknown[] = []) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(error.message);
  return result;
}

/** Runs `mp`. @returns What it prints. */
export async function mp(sandbox: Sandbox, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await sandbox.run(args);
  assertEquals(code, 0, `mp ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** The containers of an app that run, by path where one is named. */
export async function containersOf(
  app: string,
  path?: string,
): Promise<readonly ListedContainer[]> {
  const filters = withLabels({ [LABELS.app]: app });
  const all: readonly ListedContainer[] = await testEngine()
    .json("GET", "/containers/json", { query: { filters } });
  return all.filter(({ Labels }) => path === undefined || Labels[LABELS.path] === path);
}
