/**
 * The load stage, in a process of its own: module → `Topology`, of which the plan goes back.
 *
 * @module
 */

import { dirname, toFileUrl } from "@std/path";
import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";
import { dial } from "../peer/address.ts";
import { Channel } from "../peer/channel.ts";
import { makePlan } from "../plan/make_plan.ts";
import { dieWithParent } from "../replica/parent_death.ts";
import { Scopes } from "../replica/scopes.ts";
import type { StorageDrivers } from "../storage/lazy_storage.ts";
import type { ScriptHost } from "../topology/api.ts";
import { filesOfPlan } from "../topology/files.ts";
import { describeTopology } from "../topology/describe.ts";
import type { Topology } from "../topology/topology.ts";
import { appName } from "./app_name.ts";
import type { CanonicalForm } from "./canonical.ts";
import { evaluate } from "./instance.ts";
import { loadFailure, type ThrownAs } from "./load_failure.ts";
import type { ExitReport, LoadOrder, LoadReply } from "./loading.ts";
import { showPath } from "./show_path.ts";
import { installStackMapping, positionOf } from "./stack.ts";
import { takeUncaught, type UncaughtKind } from "./uncaught.ts";

/**
 * Loads the one script that this process was started for. Returns at once: a program must be able to
 * end when it has nothing left to do, and nothing may wait for it in the main module then.
 *
 * @param api The scripting API's functions that are the same for every evaluation.
 * @param storages How storages are opened.
 */
export function loadChild(
  api: Readonly<Record<string, unknown>>,
  storages: StorageDrivers,
): void {
  const env = takeEnvironment();
  if (env.parent !== undefined) dieWithParent(Number(env.parent));
  const loader = new Loader(api, storages, env.report);
  dial(env.supervisor as Address).then((conn) => {
    const channel: Channel = new Channel(conn, {
      onCall: async (target, body) => {
        if (target !== "load") throw new MpError("method_not_found", `Cannot do "${target}"`);
        // from here on the process lives as long as the script has something to do
        conn.unref();
        const order = JSON.parse(body) as LoadOrder;
        return JSON.stringify(await loader.load(order, () => channel.flush()));
      },
    }, { name: "the launcher" });
    channel.notify("hello", env.secret);
  });
}

/** Reads what concerns this process, and leaves the script its own environment. */
function takeEnvironment() {
  const take = (name: string) => {
    const value = Deno.env.get(name);
    Deno.env.delete(name);
    return value;
  };
  take("MP_ROLE");
  return {
    supervisor: take("MP_SUPERVISOR") ?? "",
    secret: take("MP_SECRET") ?? "",
    report: take("MP_EXIT_REPORT") ?? "",
    parent: take("MP_PARENT_PID"),
  };
}

class Loader {
  #api: Readonly<Record<string, unknown>>;
  #storages: StorageDrivers;
  #report: string;
  #topology: Topology | undefined;
  #evaluating = false;
  /** Whether the script is known to register no service. */
  #isProgram = false;
  /** Whether the launcher knows what the script is; what happens then is the program's own business. */
  #answered = false;

  constructor(
    api: Readonly<Record<string, unknown>>,
    storages: StorageDrivers,
    report: string,
  ) {
    this.#api = api;
    this.#storages = storages;
    this.#report = report;
  }

  /** @param sent Resolves when the system has taken what was answered. */
  async load(order: LoadOrder, sent: () => Promise<void>): Promise<LoadReply> {
    const { script, mayServe } = order;
    process.argv[1] = script;
    const url = toFileUrl(order.bundle).href;
    let text: string | undefined;
    const map = () => text ??= Deno.readTextFileSync(order.sourceMap);
    installStackMapping({
      bundleUrl: url,
      map,
      root: dirname(script),
      runtimeUrl: new URL("./", import.meta.url).href,
    });
    const uncaught = Promise.withResolvers<LoadReply>();
    const failed = (thrown: unknown, as: ThrownAs): LoadReply => {
      const failure = loadFailure(showPath(script), thrown, as);
      return { kind: "failed", failure };
    };
    takeUncaught((error, kind) => {
      if (this.#answered) endUncaught(error, kind);
      else uncaught.resolve(failed(error, kind));
    });
    this.#watchExit();
    let form: CanonicalForm;
    try {
      form = (await import(url) as { default: CanonicalForm }).default;
    } catch (error) {
      // what the bundler let pass and V8 does not
      return failed(error, "thrown");
    }
    this.#isProgram = !mayServe;
    if (!mayServe) {
      map();
      this.#answered = true;
      // the answer leaves first, for a program may compute for as long as it likes
      setTimeout(() => {
        sent().then(() => this.#evaluate(form, order))
          .catch((error) => endUncaught(error, "error"));
      }, 0);
      return { kind: "program" };
    }
    const reply = await Promise.race([
      uncaught.promise,
      this.#evaluate(form, order).catch((error) => failed(error, "thrown")),
    ]);
    // the files of a program may go when the launcher has its answer
    if (reply.kind === "program") map();
    this.#isProgram = reply.kind === "program";
    this.#answered = true;
    return reply;
  }

  async #evaluate(form: CanonicalForm, order: LoadOrder): Promise<LoadReply> {
    const { script, hash, name, widths, mayUseScopes } = order;
    const { host, scopes } = this.#surround(order);
    this.#evaluating = true;
    const topology = await evaluate(
      { form, api: this.#api, host, script },
      (topology) => this.#topology = topology,
    ).finally(() => this.#evaluating = false);
    // rejections that nobody handles are told after the microtasks of this turn
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (topology.services.size === 0) return { kind: "program" };
    const app = appName({ flag: name, declared: topology.app, script });
    const files = filesOfPlan(topology.files, dirname(script));
    const plan = makePlan(topology, { app, bundle: hash, widths, files });
    return { kind: "topology", plan, ...(mayUseScopes && { storage: scopes.choose() }) };
  }

  /** What surrounds a script while it is loaded, and a program for as long as it runs. */
  #surround({ name, script }: LoadOrder): { host: ScriptHost; scopes: Scopes } {
    const scopes = new Scopes({
      app: appName({ flag: name, script }),
      script,
      env: Deno.env.toObject(),
      drivers: this.#storages,
      onWarning: (warning) => console.error(`warning: ${warning}`),
    });
    const host: ScriptHost = {
      call(service) {
        return Promise.reject(
          new MpError("replica_unreachable", `Cannot call "${service}": nothing is deployed yet`, {
            reason: "absent",
            next: "Call services from handlers, not while the script is loaded",
          }),
        );
      },
      current: () => undefined,
      serve() {},
      print: (topology) => console.log(JSON.stringify(describeTopology(topology), null, 2)),
      scopes: {
        scoped: async (names, body) => {
          if (this.#isProgram) return await scopes.scoped(names, body);
          throw new MpError(
            "unsupported",
            `Cannot change scopes ${names.join(", ")}: the script is being loaded`,
            {
              next: "Use scopes in handlers; every replica evaluates the top level of the script",
            },
          );
        },
        open: (scope) => scopes.open(scope),
        replace: (scope, document) => scopes.replace(scope, document),
        remove: (scope) => scopes.remove(scope),
        setStorage: (storage, config) => scopes.setStorage(storage, config),
        shutdown: () => {
          if (this.#isProgram) scopes.close();
        },
      },
      effect: (effect) => scopes.effect(effect),
      auth: { folder: dirname(script), env: Deno.env.toObject(), eager: true },
    };
    return { host, scopes };
  }

  /** Leaves word when the process ends before the script is loaded. */
  #watchExit(): void {
    const exit = Deno.exit;
    Deno.exit = (code) => {
      this.#leave(`Deno.exit(${code ?? ""})`);
      return exit(code);
    };
    const nodeExit = process.exit;
    process.exit = (code) => {
      this.#leave(`process.exit(${code ?? ""})`);
      return nodeExit(code);
    };
    // comes when there is nothing left that the script could be waiting for
    globalThis.addEventListener("beforeunload", () => {
      if (this.#evaluating && this.#answered) {
        console.error("error: The top level of the script waits for something that never comes");
        exit(1);
      }
      this.#leave(undefined);
    });
  }

  #leave(call: string | undefined): void {
    if (this.#answered) return;
    this.#answered = true;
    const report: ExitReport = {
      services: (this.#topology?.services.size ?? 0) > 0,
      call,
      position: call === undefined ? undefined : positionOf(new Error(call)),
    };
    Deno.writeTextFileSync(this.#report, JSON.stringify(report));
  }
}

/** Ends a program as Deno would, but with the user's lines. */
function endUncaught(error: unknown, kind: UncaughtKind): void {
  console.error(`error: Uncaught${kind === "rejection" ? " (in promise)" : ""}`, error);
  Deno.exit(1);
}
