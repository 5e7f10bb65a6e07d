/**
 * One run: a topology, its storage, its network and its clients on virtual time, in one thread.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { MemoryData } from "../../drivers/storage/memory.ts";
import { messageOf, MpError } from "../../runtime/errors.ts";
import type { LogLine } from "../../runtime/launch/driver.ts";
import { deadlines } from "../../runtime/peer/deadlines.ts";
import { forgetTurn } from "../../runtime/peer/turn.ts";
import type { Plan } from "../../runtime/plan/plan.ts";
import { restartRequestIds } from "../../runtime/replica/call_context.ts";
import type { App } from "../app.ts";
import type { PreparedScript } from "../prepared_script.ts";
import { launchInMemory, type TestingParts } from "../start_memory.ts";
import type { Fault } from "./fault.ts";
import { FaultInjector } from "./fault_injector.ts";
import { History } from "./history.ts";
import { installGlobals } from "./install_globals.ts";
import { momentOf } from "./moment.ts";
import {
  notSimulated,
  replicaBuiltin,
  replicaGlobals,
  simulatedDeno,
  simulatedProcess,
} from "./replica_globals.ts";
import { seededRandom } from "./seeded_random.ts";
import type { SimulateOptions, World } from "./simulate_options.ts";
import { simulatedStorage, StorageWeather } from "./simulated_storage.ts";
import { VirtualTime } from "./virtual_time.ts";
import { SimulatedWeather } from "./weather.ts";

/** What a run is made of. */
export interface RunOptions
  extends Pick<SimulateOptions, "scenario" | "always" | "eventually">, TestingParts {
  readonly prepared: PreparedScript;
  readonly plan: Plan;
  readonly env: Readonly<Record<string, string>>;
  readonly seed: string;
  readonly faults: readonly Fault[];
}

/** What became of a run. */
export interface RunOutcome {
  /** What was thrown, when the run failed. */
  readonly failure?: { readonly error: unknown; readonly what: string };
  /** The faults that came. */
  readonly came: readonly Fault[];
  readonly history: readonly string[];
  readonly steps: number;
}

/** The most steps of a run, so that one without an end is told. */
const MOST_STEPS = 1_000_000;
/** For how long `eventually` is asked again, in milliseconds of the run's time. */
const EVENTUALLY = 60_000;
const ASK_AGAIN = 100;

/** Everything that waits for no more than promises goes on. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Runs once. */
export async function runSimulation(options: RunOptions): Promise<RunOutcome> {
  const run = new Run(options);
  const restore = installGlobals(run.time, run.random.fork("process"));
  try {
    beginAnew();
    return await run.run();
  } finally {
    beginAnew();
    restore();
    restartRequestIds(crypto.randomUUID().slice(0, 8));
  }
}

/** What the runtime keeps for the whole process is as at its start. */
function beginAnew(): void {
  restartRequestIds("sim");
  deadlines.clear();
  forgetTurn();
}

class Run {
  readonly time = new VirtualTime();
  readonly random;
  #options: RunOptions;
  #history: History;
  #steps = 0;
  #failure: RunOutcome["failure"];
  #app: App | undefined;
  #data: MemoryData | undefined;
  #injector: FaultInjector | undefined;
  #lives = new Map<string, number>();

  constructor(options: RunOptions) {
    this.#options = options;
    this.random = seededRandom(options.seed);
    this.#history = new History(this.time);
  }

  async run(): Promise<RunOutcome> {
    const onRejection = (event: PromiseRejectionEvent) => this.#rejected(event);
    globalThis.addEventListener("unhandledrejection", onRejection);
    let isOver = false;
    const whole = (async () => await this.#play(await this.#launch()))().catch((error) =>
      this.#fail(error, "the scenario failed")
    ).finally(() => isOver = true);
    await this.#drive(() => isOver);
    if (this.#failure === undefined) await whole;
    this.#history.close();
    this.#app?.close();
    await turn();
    globalThis.removeEventListener("unhandledrejection", onRejection);
    return {
      failure: this.#failure,
      came: this.#injector?.came ?? [],
      history: this.#history.lines,
      steps: this.#steps,
    };
  }

  /** Makes one step after the other until it is over. */
  async #drive(isOver: () => boolean): Promise<void> {
    for (;;) {
      await turn();
      this.#checkAlways();
      if (isOver() || this.#failure !== undefined) return;
      if (!this.time.waits) return this.#fail(stuck(), "nothing happens any more");
      if (++this.#steps > MOST_STEPS) return this.#fail(endless(), "the run does not end");
      this.time.step();
    }
  }

  async #launch(): Promise<App> {
    const { prepared, plan, env, api, storages, faults } = this.#options;
    const history = this.#history;
    const storage = new StorageWeather();
    const late: { injector?: FaultInjector } = {};
    const onSend = () => late.injector?.sent();
    const ways = this.random.fork("ways");
    const { app, deployment, network, rules, data } = await launchInMemory({
      prepared,
      plan,
      env,
      storages,
      driver: {
        api,
        doors: "none",
        secret: "simulation",
        refine: (replica) => this.#refine(replica),
      },
      wrap: (inner, replica) =>
        simulatedStorage({
          storage: inner,
          replica,
          weather: storage,
          history,
          latency: () => weather.latency(),
          onSend,
        }),
      onMessage: (message, fate) => history.message(message, fate),
    });
    const weather = new SimulatedWeather(rules, ways, onSend);
    network.weather = weather;
    // what reads them is loaded when it is first asked for
    app.metrics = () => Promise.reject(notSimulated("app.metrics()"));
    this.#app = app;
    this.#data = data;
    this.#tell(deployment.lines());
    await deployment.ready();
    late.injector = this.#injector = new FaultInjector({
      faults,
      deployment,
      rules,
      storage,
      history,
    });
    return app;
  }

  /** What one life of a replica sees of the process. */
  #refine(replica: string) {
    const life = (this.#lives.get(replica) ?? 0) + 1;
    this.#lives.set(replica, life);
    const random = this.random.fork(`${replica}/${life}`);
    return {
      globals: (own: Readonly<Record<string, unknown>>) => ({
        ...replicaGlobals(random),
        Deno: simulatedDeno(own.Deno as object),
        process: simulatedProcess(own.process as object),
      }),
      builtin: (name: string, own: (name: string) => unknown) => replicaBuiltin(name, random, own),
    };
  }

  async #play(app: App): Promise<void> {
    const { scenario, eventually } = this.#options;
    this.#history.note("the topology is ready");
    this.#injector!.begin();
    await scenario(app, this.#world());
    this.#history.note("the scenario has ended");
    this.#injector!.heal();
    if (eventually === undefined) return;
    const end = this.time.now + EVENTUALLY;
    for (;;) {
      let error: unknown;
      try {
        if (await eventually(app, this.#moment()) !== false) return;
        error = new Error("it returned false");
      } catch (thrown) {
        error = thrown;
      }
      if (this.time.now >= end) return this.#fail(error, "what must hold eventually does not");
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
    }
  }

  #world(): World {
    const random = this.random.fork("scenario");
    return {
      seed: this.#options.seed,
      random: () => random(),
      below: (below) => random.below(below),
      pick: (from) => random.pick(from),
      now: () => this.time.now,
      delay: (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds)),
      clients: async (count, client) => {
        await Promise.all(Array.from({ length: count }, (_, index) => client(index)));
      },
      note: (text) => this.#history.note(text),
    };
  }

  #moment() {
    return momentOf(this.#data!, this.#options.plan.app, () => this.time.now);
  }

  #checkAlways(): void {
    const { always } = this.#options;
    if (always === undefined || this.#data === undefined || this.#failure !== undefined) return;
    try {
      const result: unknown = always(this.#moment());
      if (result instanceof Promise) {
        result.catch(() => {});
        throw new TypeError("always() must not wait for anything: it is asked between two steps");
      }
    } catch (error) {
      this.#fail(error, "what must always hold does not");
    }
  }

  /** Lines that replicas write are part of the history. */
  async #tell(lines: AsyncIterable<LogLine>): Promise<void> {
    for await (const { path, index, text } of lines) {
      this.#history.note(`${path}.${index}  writes: ${text}`);
    }
  }

  /** A replica that crashed leaves promises behind that nobody waits for; any other is a fault of the script. */
  #rejected(event: PromiseRejectionEvent): void {
    event.preventDefault();
    const what = "a promise was rejected and nobody caught it";
    this.#history.note(`${what}: ${messageOf(event.reason)}`);
    if (!this.#injector?.came.some(({ kind }) => kind === "crash")) this.#fail(event.reason, what);
  }

  #fail(error: unknown, what: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error, what };
    this.#history.note(`!!! ${what}: ${messageOf(error)}`);
    // what comes now is the end of the run
    this.#history.close();
  }
}

function stuck(): MpError {
  return new MpError(
    "deadline_exceeded",
    "Cannot go on: what is waited for never comes, or comes from outside of the simulation",
    { next: "In the scenario, wait only for the app, and for timers" },
  );
}

function endless(): MpError {
  return new MpError(
    "deadline_exceeded",
    `Cannot go on: the run has taken ${MOST_STEPS} steps`,
    { next: "Let the scenario end" },
  );
}
