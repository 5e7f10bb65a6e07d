/**
 * The load stage as its caller sees it: bundle → plan, or a program that runs.
 *
 * A script is evaluated in a child process with a time limit, never in the launcher. The child is
 * started before the bundle exists, and boots while esbuild works.
 *
 * @module
 */

import { join } from "node:path";
import type { ReplicaCommand } from "../launch/driver.ts";
import type { Address } from "../launch/address_book.ts";
import { listen, tcpAddress } from "../peer/address.ts";
import { Channel } from "../peer/channel.ts";
import { equalInConstantTime } from "../peer/handshake.ts";
import type { Plan } from "../plan/plan.ts";
import type { Widths } from "../topology/walk.ts";
import { HeldOutput, type OnOutput } from "./held_output.ts";
import { endedEarly, failedWith, tookTooLong } from "./load_errors.ts";
import type { LoadOrder, LoadReply } from "./loading.ts";

/** Options of {@linkcode startLoader}. */
export interface LoaderOptions {
  /** How a process that runs the serving half is started. */
  readonly command: ReplicaCommand;
  /** The script's own arguments. */
  readonly args?: readonly string[];
  /** Environment variables besides this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder. Default: this process's. */
  readonly cwd?: string;
  /** The standard input of a program. Default: `null`. */
  readonly stdin?: "inherit" | "null";
  /** How long the top level of a script may take, in milliseconds. Default: 10,000. */
  readonly timeLimit?: number;
  /** Kills the child, also when it has become a program. */
  readonly signal?: AbortSignal;
  /** Gets what a program prints, and what a script printed that could not be loaded. */
  readonly onOutput?: OnOutput;
}

/** What is to be loaded, and the names and numbers that go into the plan. */
export interface LoadRequest {
  /** The bundle in its canonical form, a file. */
  readonly bundle: string;
  readonly sourceMap: string;
  /** The script, absolute. */
  readonly script: string;
  /** The hash of the bundle. */
  readonly hash: string;
  /** Whether the script may make services; one that cannot is a program from the start. Default: `true`. */
  readonly mayServe?: boolean;
  /** `--name`. */
  readonly name?: string;
  /** `--replicas`. */
  readonly widths?: Widths;
}

/** What a script turned out to be. */
export type Loaded =
  | { readonly kind: "topology"; readonly plan: Plan }
  | { readonly kind: "program"; readonly program: Program };

/** A script that made no service; it runs in the process that loaded it. */
export interface Program {
  readonly pid: number;
  /** Resolves when it has ended and all that it printed has been handed on. */
  readonly status: Promise<Deno.CommandStatus>;
  /** Sends it a signal, if it still runs. */
  kill(signal: Deno.Signal): void;
}

/** A child that waits for a script to load. */
export interface Loader extends AsyncDisposable {
  /**
   * Loads a script; to be called once. The child has ended afterwards, unless it is a program.
   *
   * @throws {MpError} `script_failed`, `script_timeout`, `topology_invalid`, `usage`, `launch_failed`.
   */
  load(request: LoadRequest): Promise<Loaded>;
}

const TIME_LIMIT = 10_000;

/** How long a child may take to show that its event loop turns, before it is said to compute, in milliseconds. */
const PULSE = 250;

/** How long after the end of a program its output is waited for, in milliseconds; a grandchild may hold it open. */
const LAST_WORDS = 1_000;

/** Loads one script; see {@linkcode startLoader} for one whose bundle does not exist yet. */
export async function loadScript(request: LoadRequest, options: LoaderOptions): Promise<Loaded> {
  await using loader = startLoader(options);
  return await loader.load(request);
}

/** Starts a child that will load a script. Dispose of it when it is not needed any more. */
export function startLoader(options: LoaderOptions): Loader {
  return new ChildLoader(options);
}

class ChildLoader implements Loader {
  #options: LoaderOptions;
  #folder: string;
  #listener: Deno.Listener;
  #child: Deno.ChildProcess;
  #output: HeldOutput;
  #channels: Channel[] = [];
  #connected = Promise.withResolvers<Channel>();
  #late: "computes" | "waits" | undefined;
  #isProgram = false;
  #onAbort = () => this.#kill("SIGKILL");

  constructor(options: LoaderOptions) {
    const { command, args = [], env, cwd, stdin = "null", signal } = options;
    signal?.throwIfAborted();
    this.#options = options;
    this.#folder = Deno.makeTempDirSync({ prefix: "mp-load-" });
    const secret = crypto.randomUUID();
    const [listener, address] = listenIn(this.#folder);
    this.#listener = listener;
    this.#accept(secret);
    this.#child = new Deno.Command(command.command, {
      args: [...command.args, ...args],
      cwd,
      env: {
        ...env,
        MP_ROLE: "load",
        MP_SUPERVISOR: address,
        MP_SECRET: secret,
        MP_EXIT_REPORT: this.#report,
        MP_PARENT_PID: String(Deno.pid),
      },
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#output = new HeldOutput(this.#child);
    this.#child.status.then(() =>
      this.#connected.reject(new Error("it ended before it connected"))
    );
    this.#connected.promise.catch(() => {}); // told by load()
    signal?.addEventListener("abort", this.#onAbort);
  }

  async load(request: LoadRequest): Promise<Loaded> {
    const { signal, onOutput = () => {} } = this.#options;
    try {
      const loaded = await this.#load(request);
      if (loaded.kind === "topology") await this.#end();
      else this.#output.release(onOutput);
      return loaded;
    } catch (error) {
      await this.#end();
      signal?.throwIfAborted();
      this.#output.release(onOutput);
      throw error;
    }
  }

  async #load({ mayServe = true, ...request }: LoadRequest): Promise<Loaded> {
    const { timeLimit = TIME_LIMIT } = this.#options;
    const { script } = request;
    const timer = setTimeout(() => this.#expire(), timeLimit);
    const reply = await this.#ask({ ...request, mayServe }).catch(() => undefined)
      .finally(() => clearTimeout(timer));
    if (reply?.kind === "topology") return reply;
    if (reply?.kind === "failed") throw failedWith(script, reply.failure);
    if (reply === undefined) {
      // unless it has ended, it has lost the connection and can never answer
      if (this.#channels[0]?.ended === false) this.#kill("SIGKILL");
      const status = await this.#child.status;
      if (this.#late) throw tookTooLong(script, timeLimit, this.#late);
      const connected = this.#channels.length > 0;
      const { stderr } = this.#output;
      const error = await endedEarly(script, { status, stderr, connected, report: this.#report });
      if (error) throw error;
    }
    return { kind: "program", program: this.#program() };
  }

  /** @throws When the child has ended, or was killed, before it answered. */
  async #ask(order: LoadOrder): Promise<LoadReply> {
    const channel = await this.#connected.promise;
    // the limit is kept by load(), which also kills
    const timeout = 2 * (this.#options.timeLimit ?? TIME_LIMIT);
    return JSON.parse(await channel.call("load", JSON.stringify(order), { timeout })) as LoadReply;
  }

  /** Kills a child that has used up its time, having looked at what it does. */
  async #expire(): Promise<void> {
    const channel = this.#channels[0];
    this.#late = await channel?.ping(PULSE).then(() => "waits" as const, () => undefined) ??
      "computes";
    this.#kill("SIGKILL");
  }

  #program(): Program {
    this.#isProgram = true;
    const finish = async () => {
      const status = await this.#child.status;
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(timer.resolve, LAST_WORDS);
      await Promise.race([this.#output.ended, timer.promise]);
      clearTimeout(timeout);
      await this.#end();
      return status;
    };
    const kill = (signal: Deno.Signal) => this.#kill(signal);
    return { pid: this.#child.pid, status: finish(), kill };
  }

  async #accept(secret: string): Promise<void> {
    for await (const conn of this.#listener) {
      const channel: Channel = new Channel(conn, {
        onNotice: (target, body) => {
          if (target !== "hello" || !equalInConstantTime(body, secret)) return channel.close();
          this.#channels.push(channel);
          this.#connected.resolve(channel);
        },
      }, { name: "the process that loads the script" });
    }
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // it has ended
    }
  }

  /** Ends whatever still runs, and leaves nothing behind. */
  async #end(): Promise<void> {
    this.#kill("SIGKILL");
    await this.#child.status;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    for (const channel of this.#channels) channel.close();
    try {
      this.#listener.close();
    } catch {
      // ended before
    }
    await this.#output.stop();
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }

  get #report(): string {
    return join(this.#folder, "exit.json");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isProgram) await this.#end();
  }
}

/** A socket that only this user can reach, or one of this machine where there are none. */
function listenIn(folder: string): [Deno.Listener, Address] {
  if (Deno.build.os !== "windows") {
    const address = `unix:${join(folder, "s")}` as const;
    return [listen(address), address];
  }
  const listener = listen(tcpAddress("127.0.0.1", 0));
  return [listener, tcpAddress("127.0.0.1", (listener.addr as Deno.NetAddr).port)];
}
