/**
 * A driver without processes, which does what a test tells it to.
 *
 * @module
 */

import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import type {
  AssignOptions,
  Deployment,
  DeploymentEvent,
  Driver,
  LaunchOptions,
  LogLine,
  ReplicaStatus,
} from "../../../runtime/launch/driver.ts";
import { feed } from "../../../runtime/launch/feed.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";

/** What the driver renders: the plan and where it is to be. */
export interface Scripted {
  readonly plan: Plan;
  readonly book: AddressBook;
}

/** A driver without processes. */
export interface ScriptedDriver extends Driver<Scripted> {
  /** What it was told to do, `launch 11`, `scale 12`, `update 13`, `restart a.0`, `delete`. */
  readonly done: string[];
  /** What `assign` was given. */
  readonly assigned: AssignOptions[];
  /** Has the next call of that name fail. */
  fail(call: "assign" | "launch" | "ready" | "update" | "scale" | "delete", error: Error): void;
  /** Holds the next call of that name until the promise resolves. */
  hold(call: "launch" | "update" | "delete", until: Promise<void>): void;
  readonly events: ReturnType<typeof feed<DeploymentEvent>>;
  readonly lines: ReturnType<typeof feed<LogLine>>;
  launchOptions?: LaunchOptions;
}

/** Makes a driver without processes. */
export function scriptedDriver(): ScriptedDriver {
  const done: string[] = [];
  const assigned: AssignOptions[] = [];
  const failures = new Map<string, Error>();
  const holds = new Map<string, Promise<void>>();
  const events = feed<DeploymentEvent>();
  const lines = feed<LogLine>();
  const perform = async (call: string, what: string) => {
    await holds.get(call);
    holds.delete(call);
    const failure = failures.get(call);
    failures.delete(call);
    if (failure) throw failure;
    done.push(what);
  };
  const total = ({ plan }: Scripted) => plan.nodes.reduce((sum, node) => sum + node.replicas, 0);
  const driver: ScriptedDriver = {
    name: "scripted",
    capabilities: { outlivesLauncher: false, limitsResources: false, blueGreen: true },
    done,
    assigned,
    events,
    lines,
    fail: (call, error) => void failures.set(call, error),
    hold: (call, until) => void holds.set(call, until),
    assign(plan, options) {
      assigned.push(options);
      const failure = failures.get("assign");
      failures.delete("assign");
      if (failure) return Promise.reject(failure);
      const address = `tcp:${options.host}:${options.port || 4321}` as const;
      return Promise.resolve({
        revision: plan.revision,
        generation: 1,
        replicas: [],
        doors: plan.doors.map(({ node, port }) => ({
          node,
          address: port === null ? address : `tcp:${options.host}:${port}` as const,
        })),
      });
    },
    render: (plan, book) => ({ plan, book }),
    async launch(rendered, options) {
      driver.launchOptions = options;
      await perform("launch", `launch ${total(rendered)}`);
      let now = rendered;
      const deployment: Deployment<Scripted> = {
        get book() {
          return now.book;
        },
        ready: () => perform("ready", "ready"),
        status: () =>
          now.plan.nodes.flatMap(({ path, replicas }) =>
            Array.from({ length: replicas }, (_, index): ReplicaStatus => ({
              path,
              index,
              state: "ready",
              tree: 1,
              restarts: 0,
            }))
          ),
        events: (signal) => events.read(signal),
        lines: (signal) => lines.read(signal),
        restart: ({ path, index }) => perform("restart", `restart ${path}.${index}`),
        async scale(_, rendered) {
          await perform("scale", `scale ${total(rendered)}`);
          now = rendered;
        },
        async update(_, rendered) {
          await perform("update", `update ${total(rendered)}`);
          now = rendered;
        },
        async delete() {
          await perform("delete", "delete");
          events.end();
          lines.end();
        },
        [Symbol.asyncDispose]: () => deployment.delete(),
      };
      return deployment;
    },
  };
  return driver;
}
