/**
 * A server that a test starts, kills, starts again and stops.
 *
 * @module
 */

import { type Program, startProgram } from "../program.ts";

/** A server of a test's own. */
export interface TestServer extends AsyncDisposable {
  /** Where it keeps its files. */
  readonly folder: string;
  readonly port: number;
  /** Kills it with -9, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port with the same files, and resolves when it answers. */
  start(): Promise<void>;
  /** Stops its process for a while, as if it were stuck, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

/** What to start. */
export interface StartServerOptions {
  readonly name: string;
  readonly command: string;
  args(folder: string, port: number): string[];
  /** What it prints when it answers. */
  readonly ready: string;
  /** Makes its files. */
  prepare?(folder: string): Promise<void>;
}

/** Starts a server, and resolves when it answers. */
export async function startServer(options: StartServerOptions): Promise<TestServer> {
  const folder = await Deno.makeTempDir({ prefix: `mp-${options.name}-` });
  const port = freePort();
  let program: Program | undefined;

  async function start(): Promise<void> {
    program = startProgram(options.command, {
      args: options.args(folder, port),
      cwd: folder,
      env: { PATH: Deno.env.get("PATH") ?? "" },
    });
    await program.line(options.ready);
  }

  async function end(signal: Deno.Signal): Promise<void> {
    const ending = program;
    program = undefined;
    ending?.kill(signal);
    await ending?.ended;
  }

  async function dispose(): Promise<void> {
    await end("SIGKILL");
    await Deno.remove(folder, { recursive: true });
  }

  try {
    await options.prepare?.(folder);
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    folder,
    port,
    start,
    kill: () => end("SIGKILL"),
    signal: (signal) => program?.kill(signal),
    [Symbol.asyncDispose]: dispose,
  };
}

/** A port that nobody listens on just now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
