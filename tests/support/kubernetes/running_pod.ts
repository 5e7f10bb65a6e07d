/**
 * A pod that runs: one container, as a child process.
 *
 * @module
 */

import { join } from "@std/path";
import { TextLineStream } from "@std/streams/text-line-stream";
import type { ReplicaCommand } from "../../../runtime/launch/driver.ts";
import type { LogQuery } from "./api_server.ts";
import { now, type Stored } from "./object_store.ts";
import { writeFiles } from "./pod_runner.ts";

/** Options of {@linkcode RunningPod}. */
export interface RunningPodOptions {
  readonly pod: Stored;
  readonly command: ReplicaCommand;
  readonly ip: string;
  /** What stands for the root of its file system. */
  readonly folder: string;
  files(): Record<string, string | Uint8Array>;
  env(): Record<string, string>;
  onStatus(status: Record<string, unknown>): void;
}

interface Line {
  readonly time: string;
  readonly text: string;
  /** Counts the containers of the pod. */
  readonly start: number;
}

/** The pause before a container is started again that ended more than once, in milliseconds; it doubles. */
const BACK_OFF = 250;
const PROBE = 50;

/** See the module's documentation. */
export class RunningPod {
  readonly name: string;
  #options: RunningPodOptions;
  #child: Deno.ChildProcess | undefined;
  #starts = 0;
  #last: Record<string, unknown> | undefined;
  #ready = false;
  #readySince = now();
  #ending = false;
  #ended = Promise.withResolvers<void>();
  #lines: Line[] = [];
  #heard = new Set<() => void>();
  #wake = new AbortController();
  #annotations: string;

  constructor(options: RunningPodOptions) {
    this.#options = options;
    this.name = options.pod.metadata.name;
    this.#annotations = JSON.stringify(options.pod.metadata.annotations);
  }

  start(): void {
    this.#run().finally(() => this.#ended.resolve());
  }

  /** The pod object has changed; a node then looks at what is mounted, too. */
  lookedAt(pod: Stored): void {
    const annotations = JSON.stringify(pod.metadata.annotations);
    if (annotations === this.#annotations || this.#ending) return;
    this.#annotations = annotations;
    writeFiles(this.#options.folder, this.#options.files());
  }

  /** Asks the process to end, and ends it when it does not. */
  async terminate(seconds: number): Promise<void> {
    this.#ending = true;
    this.#wake.abort();
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), seconds * 1000);
    await this.#ended.promise;
    clearTimeout(timer);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#ending = true;
    this.#wake.abort();
    this.#signal("SIGKILL");
    await this.#ended.promise;
  }

  async *logs(query: LogQuery, signal: AbortSignal): AsyncIterable<string> {
    const start = query.previous ? this.#starts - 1 : this.#starts;
    let at = 0;
    let first = true;
    const aborted = () => this.#tell();
    signal.addEventListener("abort", aborted);
    try {
      while (!signal.aborted) {
        let fresh = this.#lines.slice(at).filter((line) =>
          line.start === start && Date.parse(line.time) >= query.since
        );
        at = this.#lines.length;
        if (first && query.tailLines !== undefined) fresh = fresh.slice(-query.tailLines);
        first = false;
        for (const { time, text } of fresh) yield query.timestamps ? `${time} ${text}` : text;
        if (at < this.#lines.length) continue;
        if (!query.follow || this.#starts !== start || this.#child === undefined) return;
        await new Promise<void>((resolve) => this.#heard.add(resolve));
      }
    } finally {
      signal.removeEventListener("abort", aborted);
    }
  }

  async #run(): Promise<void> {
    const { folder, files, env, command, ip, pod } = this.#options;
    while (!this.#ending) {
      this.#starts++;
      try {
        writeFiles(folder, files());
      } catch (error) {
        return this.#report({
          waiting: { reason: "CreateContainerConfigError", message: String(error) },
        });
      }
      const inside = (value: string) =>
        /^\/(run\/mp|tmp|app|data)(\/|$)/.test(value) ? join(folder, value) : value;
      const variables = Object.fromEntries(
        Object.entries(env()).map(([name, value]) => [name, inside(value)]),
      );
      this.#child = new Deno.Command(command.command, {
        args: [...command.args],
        clearEnv: true,
        env: {
          PATH: Deno.env.get("PATH") ?? "",
          DENO_DIR: Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "", ".cache", "deno"),
          NO_COLOR: "1",
          ...variables,
        },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      if (this.#ending) this.#signal("SIGTERM");
      this.#report({ running: { startedAt: now() } });
      const probing = new AbortController();
      const probed = this.#probe(readinessUrl(pod, ip), probing.signal);
      const [{ code, signal }] = await Promise.all([
        this.#child.status,
        this.#read(this.#child.stdout, this.#starts),
        this.#read(this.#child.stderr, this.#starts),
      ]);
      probing.abort();
      await probed;
      this.#child = undefined;
      this.#ready = false;
      this.#readySince = now();
      this.#last = {
        terminated: {
          exitCode: signal ? 128 + 9 : code,
          ...(signal && { reason: "Error" }),
          finishedAt: now(),
        },
      };
      this.#tell();
      if (this.#ending) return;
      if (this.#starts > 1) {
        this.#report({
          waiting: { reason: "CrashLoopBackOff", message: "back-off restarting failed container" },
        });
        await pause(BACK_OFF * 2 ** Math.min(4, this.#starts - 2), this.#wake.signal);
      }
    }
  }

  async #probe(url: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ok = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) })
        .then(async (response) => {
          await response.body?.cancel();
          return response.ok;
        }, () => undefined);
      // one that is late keeps what it was; a node counts to three
      if (ok !== undefined && ok !== this.#ready && !signal.aborted) {
        this.#ready = ok;
        this.#readySince = now();
        this.#report({ running: { startedAt: now() } });
      }
      await pause(PROBE, signal);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>, start: number): Promise<void> {
    const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const text of lines) {
      // finer than a millisecond, as nodes count
      const time = new Date().toISOString().replace(
        "Z",
        `${String(this.#lines.length % 1e6).padStart(6, "0")}Z`,
      );
      this.#lines.push({ time, text, start });
      this.#tell();
    }
  }

  #report(state: Record<string, unknown>): void {
    this.#options.onStatus({
      phase: "Running",
      podIP: this.#options.ip,
      conditions: [{
        type: "Ready",
        status: this.#ready ? "True" : "False",
        lastTransitionTime: this.#readySince,
      }],
      containerStatuses: [{
        name: "replica",
        ready: this.#ready,
        restartCount: this.#starts - 1,
        state,
        ...(this.#last && { lastState: this.#last }),
      }],
    });
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch {
      // it has ended
    }
  }

  #tell(): void {
    for (const resolve of this.#heard) resolve();
    this.#heard.clear();
  }
}

/** What the pod's own readiness probe asks. */
function readinessUrl({ spec }: Stored, ip: string): string {
  const { path, port } = spec.containers[0].readinessProbe.httpGet;
  return `http://${ip}:${portOf(spec, port)}${path}`;
}

function portOf(spec: Stored["spec"], name: string): number {
  return spec.containers[0].ports.find((one: { name: string }) => one.name === name)
    .containerPort;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, signal.aborted ? 0 : milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}
