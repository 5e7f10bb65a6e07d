/**
 * Tests of a topology: the whole of it in the test's own process, in milliseconds, with faults.
 *
 * ```ts
 * import { start } from "@metaparticle/mp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.test("the topology answers", async () => {
 *   await using app = await start("examples/hello.ts");
 *   assertEquals(await app.call("hello", "ada"), "hello, ada");
 * });
 * ```
 *
 * @module
 */

import * as api from "./mod.ts";
import { storages } from "./drivers/storage/storages.ts";
import { makeSimulate, type Simulate } from "./testing/simulation/simulate.ts";
import { makePlanOf, type PlanOf } from "./testing/plan_of.ts";
import { makeStart, type Start, type StartOptions } from "./testing/start.ts";
import { startProcesses } from "./testing/start_processes.ts";

/**
 * Starts a topology, and resolves when every replica is ready.
 *
 * With the memory driver, replicas are instances of the script in this process, each with module state,
 * environment, timers, console and `globalThis` of its own; calls are encoded, routed, limited and decoded as
 * over the wire. What cannot be kept apart is state within Node's built-in modules, the working folder and
 * the processor: a handler that computes holds up all.
 *
 * @param script The topology script: its path, or `import.meta.resolve("./topology.ts")`.
 * @returns The running topology; dispose of it (`await using`), or call `close()`.
 * @throws {MpError} What is wrong with the script, or why it does not run.
 *
 * @example A replica that fails
 * ```ts
 * import { start } from "@metaparticle/mp/testing";
 * import { assertRejects } from "@std/assert";
 *
 * await using app = await start("examples/histogram.ts");
 * await app.replica("histogram-service.scatter", 3).kill({ restart: false });
 * await assertRejects(() => app.call("histogram-service", {}, { timeout: 100 }));
 * ```
 */
export const start: Start = makeStart(
  { api, storages },
  (script: string | URL, options: StartOptions) =>
    startProcesses(script, options, {
      storages,
      driver: async () => (await import("./drivers/process/driver.ts")).processDriver(),
    }),
);

/**
 * The plan of a topology script: what would run, as data. Nothing is started.
 *
 * @param script The topology script: its path, or `import.meta.resolve("./topology.ts")`.
 * @throws {MpError} What is wrong with the script.
 *
 * @example Nothing but gather is exposed
 * ```ts
 * import { assertDependsOn, assertOnlyExposed, planOf } from "@metaparticle/mp/testing";
 *
 * const plan = await planOf("examples/histogram.ts");
 * assertDependsOn(plan, "histogram-service.gather", "histogram-service.scatter");
 * assertOnlyExposed(plan, "histogram-service.gather");
 * ```
 */
export const planOf: PlanOf = makePlanOf(api);

/**
 * Runs a topology many times under faults: its replicas, its storage, its network and its clients, on
 * virtual time in one thread.
 *
 * How long messages take, which are lost, which replicas crash and when, what the storage does, and all
 * random numbers and times that replicas and the scenario see are drawn from the run's seed; the same
 * seed gives the same history, byte for byte. A run that fails is made shorter, and its seed replays it.
 *
 * While it runs, timers, `Date`, `performance.now()` and `Math.random()` are the simulation's for the
 * whole process. In replicas, what would not be the same each time is refused by name: files, sockets,
 * processes, native add-ons, `crypto.subtle`, imports of computed names.
 *
 * @param script The topology script: its path, or `import.meta.resolve("./topology.ts")`.
 * @throws {SimulationError} The first run that failed, made as short as it gets.
 * @throws {MpError} What is wrong with the script.
 *
 * @example Twenty runs
 * ```ts
 * import { simulate } from "@metaparticle/mp/testing";
 *
 * await simulate("examples/hello.ts", {
 *   runs: 20,
 *   async scenario(app, world) {
 *     await world.clients(3, async () => {
 *       await app.call("hello", "ada", { timeout: 1_000 }).catch(() => {});
 *     });
 *   },
 *   async eventually(app) {
 *     return await app.call("hello", "ada") === "hello, ada";
 *   },
 * });
 * ```
 */
export const simulate: Simulate = makeSimulate({ api, storages });

export { SimulationError } from "./testing/simulation/simulation_error.ts";
export type { Simulate } from "./testing/simulation/simulate.ts";
export type {
  Moment,
  SimulatedApp,
  SimulateOptions,
  SimulateResult,
  World,
} from "./testing/simulation/simulate_options.ts";
export type { Fault, FaultKind } from "./testing/simulation/fault.ts";
export {
  assertDependsOn,
  assertOnlyExposed,
  assertReplicas,
  dependsOn,
  exposedPaths,
  PlanAssertionError,
  planSnapshot,
} from "./testing/plan_assertions.ts";
export {
  assertConserved,
  assertExactlyOnce,
  assertLinearizable,
  HistoryAssertionError,
} from "./testing/assert_history.ts";
export { checkConserved } from "./runtime/check/conserved.ts";
export { counter, type CounterInput } from "./runtime/check/counter.ts";
export { type Asked, checkExactlyOnce } from "./runtime/check/exactly_once.ts";
export { type Call, History, type Operation } from "./runtime/check/history.ts";
export {
  checkLinearizable,
  type CheckOptions,
  type Verdict,
} from "./runtime/check/linearizable.ts";
export type { Applied, Model } from "./runtime/check/model.ts";
export { register, type RegisterInput, type RegisterOutput } from "./runtime/check/register.ts";
export {
  type Document,
  type Documents,
  scopesModel,
  type ScopesModelOptions,
  type ScopesOutput,
} from "./runtime/check/scopes_model.ts";
export type { PlanOf } from "./testing/plan_of.ts";
export type { Door, Plan, PlanNode } from "./runtime/plan/plan.ts";
export type {
  App,
  AppCallOptions,
  AppNetwork,
  AppReplica,
  AppStorage,
  Metrics,
  ReplicaCall,
  Sample,
  StorageFailure,
} from "./testing/app.ts";
export type { Start, StartOptions } from "./testing/start.ts";
export { MpError } from "./runtime/errors.ts";
