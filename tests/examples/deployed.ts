/**
 * Runs an example with the real program, and calls it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type MpOptions, mpSandbox, type Sandbox } from "../support/mp.ts";

/** The project's folder. */
export const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** A reply to a JSON-RPC call. */
export interface Reply {
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: { readonly code: string; readonly service?: string; readonly replica?: string };
  };
}

/** A script that `mp run` has launched. */
export interface Deployed extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** Where its door is. */
  readonly url: string;
  /** Calls a service as curl would, and returns its result. @throws {Error} With the error of the reply. */
  call(service: string, ...params: unknown[]): Promise<unknown>;
  /** Calls a service and returns the whole reply. */
  reply(service: string, ...params: unknown[]): Promise<Reply>;
  /** Calls a service with `mp client`, and returns what it printed. */
  client(service: string, ...args: string[]): Promise<unknown>;
  /** Stops it as Ctrl-C does, and sees to it that nothing is left running. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Launches a script, and waits until it is ready.
 *
 * @param script Its path, from the project's folder.
 */
export async function deploy(
  script: string,
  { args = [], ...options }: MpOptions & { readonly args?: readonly string[] } = {},
): Promise<Deployed> {
  const sandbox = await mpSandbox();
  const program = sandbox.start(["run", `${ROOT}${script}`, "--port", "0", ...args], options);
  let url: string;
  try {
    const line = await program.line(/http:\/\/127\.0\.0\.1:\d+/);
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)![0];
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
  const reply = async (method: string, ...params: unknown[]): Promise<Reply> => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { "content-type": "application/json" };
    return await (await fetch(url, { method: "POST", headers, body })).json();
  };
  return {
    sandbox,
    url,
    reply,
    async call(service, ...params) {
      const { result, error } = await reply(service, ...params);
      if (error) throw new Error(JSON.stringify(error));
      return result;
    },
    async client(...args) {
      const { code, stdout, stderr } = await sandbox.run(["client", ...args]);
      assertEquals(code, 0, stderr);
      return JSON.parse(stdout);
    },
    async [Symbol.asyncDispose]() {
      program.kill("SIGINT");
      const { code } = await program.ended;
      await sandbox[Symbol.asyncDispose]();
      assertEquals(code, 0, program.lines.join("\n"));
    },
  };
}
