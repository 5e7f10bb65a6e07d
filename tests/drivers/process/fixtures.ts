// Plans, launches and waits that the tests of the process driver share.
import { deadline } from "@std/async/deadline";
import { processDriver, type ProcessDriverOptions } from "../../../drivers/process/driver.ts";
import type {
  AssignOptions,
  Deployment,
  LaunchOptions,
  LogLine,
  RenderOptions,
  ReplicaStatus,
} from "../../../runtime/launch/driver.ts";
import type { Door, Plan, PlanNode } from "../../../runtime/plan/plan.ts";
import { planNode } from "../plan_node.ts";

const program = new URL("./fake_replica.ts", import.meta.url).pathname;

export interface PlanOptions {
  readonly revision?: string;
  readonly nodes: readonly (Partial<PlanNode> & { readonly path: string })[];
  readonly doors?: readonly Pick<Door, "port" | "node">[];
}

/** A plan with what a test does not care about filled in. */
export function plan({ revision = "r1", nodes, doors = [] }: PlanOptions): Plan {
  return {
    app: "shop",
    revision,
    bundle: "0000",
    nodes: nodes.map((node) => planNode(node.path, node)),
    doors: doors.map((door) => ({ ...door, methods: {} })),
  };
}

/** Options of `render` that start the fake replica. */
export function renderOptions(changes: Partial<RenderOptions> = {}): RenderOptions {
  return {
    files: { bundle: "/bundle.js", sourceMap: "/bundle.js.map", script: "/shop/topology.ts" },
    bundle: { code: "", map: "", hash: "0000", script: "/shop/topology.ts" },
    note: {} as RenderOptions["note"],
    env: {},
    cwd: Deno.cwd(),
    command: {
      command: Deno.execPath(),
      args: ["run", "-A", "--no-check", "--unstable-net", program],
    },
    ...changes,
  };
}

export interface World extends AsyncDisposable {
  readonly deployment: Deployment;
  readonly logs: string;
  readonly driver: ReturnType<typeof processDriver>;
  /** Assigns and renders a further plan. */
  prepare(plan: Plan, assign: Partial<AssignOptions>, render?: Partial<RenderOptions>): Promise<
    [Deployment["book"], Parameters<Deployment["update"]>[1]]
  >;
  /** The port of the first door. */
  readonly port: number;
}

export interface WorldOptions {
  readonly driver?: ProcessDriverOptions;
  readonly launch?: Partial<LaunchOptions>;
  readonly render?: Partial<RenderOptions>;
}

/** Launches a plan; everything is gone when it is disposed. */
export async function launch(first: Plan, options: WorldOptions = {}): Promise<World> {
  const driver = processDriver(options.driver);
  const scratch = await Deno.makeTempDir();
  const logs = `${scratch}/logs`;
  const prepare: World["prepare"] = async (plan, assign, render) => {
    const book = await driver.assign(plan, { host: "127.0.0.1", port: 0, ...assign });
    const env = { FAKE_COUNTER: `${scratch}/count`, ...options.render?.env, ...render?.env };
    return [book, driver.render(plan, book, renderOptions({ ...options.render, ...render, env }))];
  };
  const [book, rendered] = await prepare(first, {});
  const deployment = await driver.launch(rendered as ReturnType<typeof driver.render>, {
    logs,
    grace: 5_000,
    ...options.launch,
  });
  return {
    deployment: deployment as Deployment,
    logs,
    driver,
    prepare,
    get port() {
      return Number(book.doors[0]?.address.split(":").at(-1));
    },
    async [Symbol.asyncDispose]() {
      await deployment.delete();
      await Deno.remove(scratch, { recursive: true });
    },
  };
}

/** Waits until the status is as wanted. */
export async function until(
  deployment: Deployment,
  wanted: (status: readonly ReplicaStatus[]) => boolean,
): Promise<readonly ReplicaStatus[]> {
  const stop = new AbortController();
  const events = deployment.events(stop.signal);
  const wait = async () => {
    if (wanted(deployment.status())) return deployment.status();
    for await (const _ of events) if (wanted(deployment.status())) return deployment.status();
    throw new Error(`the deployment ended as ${JSON.stringify(deployment.status())}`);
  };
  try {
    return await deadline(wait(), 20_000);
  } catch (error) {
    throw new Error(`waited in vain: ${JSON.stringify(deployment.status())}`, { cause: error });
  } finally {
    stop.abort();
  }
}

/** Collects lines from now on, and waits for those that are wanted. */
export function listenTo(deployment: Deployment): {
  readonly lines: LogLine[];
  line(wanted: (line: LogLine) => boolean): Promise<LogLine>;
} {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  (async () => {
    for await (const line of deployment.lines()) {
      lines.push(line);
      for (const wake of waiting) wake();
    }
  })();
  return {
    lines,
    async line(wanted) {
      const found = Promise.withResolvers<LogLine>();
      const look = () => {
        const line = lines.find(wanted);
        if (line) found.resolve(line);
      };
      waiting.add(look);
      look();
      try {
        return await deadline(found.promise, 20_000);
      } finally {
        waiting.delete(look);
      }
    },
  };
}

/** Whether a process exists. */
export function exists(pid: number): boolean {
  try {
    // signal 0 is not to be had; this one does nothing to a process that is not stopped
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}
