/**
 * The launcher's side of a process that loads a script: starts it, asks it, and sees to its end.
 *
 * @module
 */

import { join } from "node:path";
import type { Address } from "../launch/address_book.ts";
import { listen, tcpAddress } from "../peer/address.ts";
import { Channel } from "../peer/channel.ts";
import { equalInConstantTime } from "../peer/handshake.ts";
import { HeldOutput } from "./held_output.ts";
import type { Loaded, Loader, LoaderOptions, LoadRequest, Program } from "./load.ts";
import { endedEarly, failedWith, tookTooLong } from "./load_errors.ts";
import type { LoadOrder, LoadReply } from "./loading.ts";
import { makeSocketFolder } from "../user_folders.ts";

const TIME_LIMIT = 10_000;

/** How long a child may take to be ready for a script, in milliseconds. */
const BOOT_LIMIT = 30_000;

/** How long a child may take to show that its event loop turns, before it is said to compute, in milliseconds. */
const PULSE = 250;

/** How long after the end of a program its output is waited for, in milliseconds; a grandchild may hold it open. */
const LAST_WORDS = 1_000;

/** See {@linkcode Loader}. */
export class ChildLoader implements Loader {
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
    this.#folder = makeSocketFolder("mp-load-");
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
      signal?.throwIfAborted();
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

  async #load({ mayServe = true, mayUseScopes = false, ...request }: LoadRequest): Promise<Loaded> {
    const { timeLimit = TIME_LIMIT } = this.#options;
    const { script } = request;
    const reply = await this.#ask({ ...request, mayServe, mayUseScopes }, timeLimit).catch(() =>
      undefined
    );
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
  async #ask(order: LoadOrder, timeLimit: number): Promise<LoadReply> {
    // the script's own time begins when the child has booted
    let timer = setTimeout(() => this.#kill("SIGKILL"), BOOT_LIMIT);
    try {
      const channel = await this.#connected.promise;
      clearTimeout(timer);
      timer = setTimeout(() => this.#expire(channel), timeLimit);
      const timeout = timeLimit + BOOT_LIMIT; // never reached
      const reply = await channel.call("load", JSON.stringify(order), { timeout });
      return JSON.parse(reply) as LoadReply;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Kills a child that has used up its time, having looked at what it does. */
  async #expire(channel: Channel): Promise<void> {
    this.#late = await channel.ping(PULSE).then(() => "waits" as const, () => "computes" as const);
    this.#kill("SIGKILL");
  }

  #program(): Program {
    this.#isProgram = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
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
