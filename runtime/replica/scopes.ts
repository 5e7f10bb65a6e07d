/**
 * Scopes in a replica: transactions of handlers, and of `mp.scoped()`.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { dirname } from "node:path";
import { type Code, messageOf, MpError } from "../errors.ts";
import { Payload } from "../payload.ts";
import { chooseStorage, type ScriptStorage } from "../storage/choose_storage.ts";
import { encodeKey, scopeKey, userScopeKey } from "../storage/key.ts";
import { lazyStorage, type StorageDrivers } from "../storage/lazy_storage.ts";
import type { StorageConfig } from "../storage/storage_config.ts";
import type { AnyScope, ScopesHost } from "../topology/scopes.ts";
import type { IsAnswer } from "../transact/kept_reply.ts";
import type { Outcome } from "../transact/transaction.ts";
import { Transactor, type TransactorOptions } from "../transact/transactor.ts";
import { withoutDrafts } from "../transact/settle_draft.ts";
import type { View } from "../transact/view.ts";
import { CallContext, effectInside } from "./call_context.ts";

/** Options of {@linkcode Scopes}. */
export interface ScopesOptions {
  /** The app, which is the namespace of its scopes. */
  readonly app: string;
  /** The topology script; a storage's relative path is relative to its folder. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly drivers: StorageDrivers;
  /** The replica whose transactions they are, and the others of its deployment. Default: it is alone. */
  readonly replica?: TransactorOptions["replica"];
  /** Told of what is not as it should be with the storage. Default: nobody. */
  readonly onWarning?: (warning: string) => void;
}

/** How long a transaction outside of a call may take, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/** How many encoded keys are remembered. */
const MOST_KEYS = 1_000;

/** How long a storage may take to say that it is there, in milliseconds. */
const LOOK_WITHIN = 3_000;

/** The view of the transaction that surrounds the code that asks. */
const surrounding = new AsyncLocalStorage<View>();

/** See the module's documentation. */
export class Scopes implements ScopesHost {
  #options: ScopesOptions;
  #script: ScriptStorage | undefined;
  #transactor: Transactor | undefined;
  #looking: Promise<string[]> | undefined;
  #keys = new Map<string, string>();

  constructor(options: ScopesOptions) {
    this.#options = options;
  }

  /** Takes a scope that another replica has handed on to this one. */
  take(baton: string): void {
    // where no scope is in use, nobody waits for it
    this.#transactor?.take(baton);
  }

  /** The storage, while transactions wait because it cannot be reached. */
  missing(): string[] {
    return this.#transactor?.fault ? [`storage ${this.#transactor.storage.name}`] : [];
  }

  /**
   * The storage, when it does not answer now. It is asked where scopes are in use, or where a server was chosen for
   * them; what the environment only names by its address may be meant for the script.
   */
  async look(): Promise<string[]> {
    this.#looking ??= this.#look().finally(() => this.#looking = undefined);
    return await this.#looking;
  }

  setStorage(name: string, config: unknown): void {
    if (this.#transactor) {
      throw new MpError(
        "topology_invalid",
        `Cannot set the storage to "${name}": scopes are in use already`,
        {
          next: "Call mp.setStorage() at the top of the script",
        },
      );
    }
    const { env, script } = this.#options;
    const chosen = { name, config };
    // a wrong choice is told at once
    chooseStorage({ env, script: chosen, folder: dirname(script) });
    this.#script = chosen;
  }

  async scoped(
    names: readonly string[],
    body: (...scopes: AnyScope[]) => unknown,
  ): Promise<unknown> {
    const context = CallContext.current;
    const ids = names.map((name) => this.#keyOf(name));
    const run = (view: View) => body(...ids.map((id) => view.open(id)));
    // what is called within a transaction is part of it
    const outer = surrounding.getStore() ?? context?.view;
    if (outer) return await run(outer);
    context?.begin("a transaction by mp.scoped()");
    const timeout = Math.max(1, context?.remaining ?? DEFAULT_TIMEOUT);
    const runInside = (view: View) => surrounding.run(view, () => copied(run(view)));
    const step = context?.reply?.step(++context.steps, JSON.stringify(names));
    if (step === undefined) {
      return await this.#use().run(runInside, { timeout, scopes: ids, caller: context });
    }
    const isAnswer = answersOf(context!);
    const result = await this.#use().run(
      (view) => step.run(view, () => kept(runInside(view)), isAnswer),
      { timeout, scopes: ids, caller: context },
    );
    return result.value;
  }

  open(name: string): AnyScope {
    return this.#view(name).open(this.#idOf(name));
  }

  replace(name: string, document: AnyScope): void {
    this.#view(name).replace(this.#idOf(name), document);
  }

  remove(name: string): void {
    this.#view(name).remove(this.#idOf(name));
  }

  /**
   * Ends the transaction that a handler's first run has turned out to be.
   *
   * @param context The context of that run.
   * @param outcome What it came to.
   * @param again Runs the handler once more, with a context of its own.
   */
  commit(
    context: CallContext,
    outcome: Outcome,
    again: (context: CallContext) => Payload | Promise<Payload>,
  ): Promise<Payload> {
    const { reply } = context;
    const view = context.view!;
    const run = (view: View) => again(context.again(view));
    const timeout = Math.max(1, context.remaining);
    const caller = context;
    if (context.isStopped) return Promise.reject(new MpError("cancelled", "It starts again"));
    if (reply === undefined) {
      return this.#use().run(run, { timeout, caller, first: { view, outcome } });
    }
    const isAnswer = answersOf(context);
    const first = reply.settle(view, outcome, isAnswer) ? { view, outcome } : undefined;
    // somebody has answered meanwhile, and what this run has changed must not be stored
    if (first === undefined) view.abandon();
    return this.#use().run((view) => reply.run(view, () => run(view), isAnswer), {
      timeout,
      caller,
      ...(first && { first }),
    });
  }

  /**
   * Loads the scopes that a handler uses, those that are not known here, in one read.
   *
   * @returns Nothing when there is nothing to wait for.
   */
  preload({ user }: CallContext, names: readonly string[]): Promise<void> | undefined {
    const ids = names.flatMap((name) => {
      if (name !== "user") return encodeKey(scopeKey(name));
      return user === undefined ? [] : encodeKey(userScopeKey(user));
    });
    return this.#use().preload(ids);
  }

  /** What the call with an idempotency key was answered before, if it was. */
  recall(context: CallContext): Promise<Payload | undefined> {
    return this.#use().run((view) => context.reply!.recall(view), {
      timeout: Math.max(1, context.remaining),
      caller: context,
    });
  }

  /**
   * Keeps what a call with an idempotency key has come to.
   *
   * @returns The reply, or what was answered meanwhile.
   * @throws The error, or that which was the answer meanwhile.
   */
  async keep(context: CallContext, outcome: Outcome): Promise<Payload> {
    const isAnswer = answersOf(context);
    if ("error" in outcome && !isAnswer(outcome.error)) throw outcome.error;
    const answer = () => {
      if ("error" in outcome) throw outcome.error;
      return outcome.value as Payload;
    };
    try {
      return await this.#use().run((view) => context.reply!.run(view, answer, isAnswer), {
        timeout: Math.max(1, context.remaining),
      });
    } catch (error) {
      throw error instanceof MpError && NOTHING_CHANGED.includes(error.code)
        ? notKept(error)
        : error;
    }
  }

  /**
   * Notes that the code that asks is about to do what cannot be undone.
   *
   * @throws {MpError} `scope_after_effect` within a transaction, which may run again.
   */
  effect(what: string): void {
    if (surrounding.getStore()?.ended === false) throw effectInside(what);
    CallContext.current?.begin(what);
  }

  shutdown(): void {
    // others may be using it
  }

  /** Ends all transactions, and closes the storage. */
  async close(): Promise<void> {
    this.#transactor?.close();
    await this.#transactor?.storage.close();
  }

  /** Where scopes live, as chosen so far. @throws {MpError} When the environment or the script chooses wrongly. */
  choose(): StorageConfig {
    const { script, env } = this.#options;
    return chooseStorage({ env, folder: dirname(script), script: this.#script });
  }

  async #look(): Promise<string[]> {
    if (this.#transactor === undefined) {
      if (!this.#options.env.MP_STORAGE && this.#script === undefined) return [];
      const { storage } = this.choose();
      // nothing can be away that is no server, and nothing is to be made before it is needed
      if (storage === "file" || storage === "memory") return [];
    }
    const { storage } = this.#use();
    try {
      await storage.read([], { signal: AbortSignal.timeout(LOOK_WITHIN) });
      return [];
    } catch {
      return [`storage ${storage.name}`];
    }
  }

  #use(): Transactor {
    if (this.#transactor) return this.#transactor;
    const { app, drivers, replica, onWarning } = this.#options;
    const storage = lazyStorage(this.choose(), app, drivers, onWarning);
    return this.#transactor = new Transactor({ storage, replica });
  }

  /** The view of the transaction that surrounds the code that asks: of `mp.scoped()`, else of the call. */
  #view(name: string): View {
    const outer = surrounding.getStore();
    if (outer) return outer;
    const context = CallContext.current;
    if (context === undefined) {
      throw new MpError(
        "scope_after_effect",
        `Cannot use mp.scope.${name}: no call is being answered here`,
        {
          next: `Use mp.scoped(${JSON.stringify(name)}, …)`,
        },
      );
    }
    if (context.view === undefined) {
      context.assertScopesAllowed(name);
      context.view = this.#use().view();
    }
    return context.view;
  }

  /** A scope's encoded key; the same few are asked for over and over. */
  #keyOf(name: string): string {
    let key = this.#keys.get(name);
    if (key !== undefined) return key;
    key = encodeKey(scopeKey(name));
    if (this.#keys.size >= MOST_KEYS) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }

  #idOf(name: string): string {
    if (name !== "user") return this.#keyOf(name);
    const user = CallContext.current?.user;
    if (user !== undefined) return encodeKey(userScopeKey(user));
    throw new MpError(
      "unauthorized",
      "Cannot use mp.scope.user: the caller did not say who it is",
      {
        next: "Put the handler into mp.basicAuth() or mp.bearerAuth()",
      },
    );
  }
}

/** What leaves a transaction is no part of a scope; it is copied before any other body runs. */
function copied(result: unknown): unknown {
  return result instanceof Promise ? result.then(detached) : detached(result);
}

function detached(value: unknown): unknown {
  try {
    return withoutDrafts(value);
  } catch (error) {
    throw error instanceof TypeError
      ? new TypeError(`Cannot return a part of a scope: ${error.message}`)
      : error;
  }
}

/**
 * Tells which errors are the answer of a call: not those of an attempt that was given up, or that may be made again.
 * Otherwise whoever asks again, having got no answer, would be told that it has gone away.
 */
function answersOf(context: CallContext): IsAnswer {
  return (error) =>
    context.cancelled === undefined && context.remaining > 0 &&
    !(error instanceof MpError && error.retryable);
}

/** Codes that say that nothing was changed, which is true of the transaction alone that failed. */
const NOTHING_CHANGED: readonly Code[] = [
  "storage_unavailable",
  "scope_conflict",
  "deadline_exceeded",
  "cancelled",
];

/** The error of a call that has been carried out, but cannot be answered the same when it is made again. */
function notKept(cause: MpError): MpError {
  return new MpError(
    "commit_unknown",
    `Cannot keep the answer for the idempotency key: ${cause.message}`,
    { cause, next: "Make the call again with the same key: its transactions happen once" },
  );
}

/** What is kept of a transaction's result: JSON, which is what a later call gets. */
function kept(result: unknown): Payload | Promise<Payload> {
  if (result instanceof Promise) return result.then(kept);
  try {
    return Payload.encode(result);
  } catch (error) {
    throw new MpError("not_json", `Cannot keep the result of mp.scoped(): ${messageOf(error)}`, {
      next: "Return JSON: it is kept for who makes the call again with the same idempotency key",
    });
  }
}
