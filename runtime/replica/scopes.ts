/**
 * Scopes in a replica: transactions of handlers, and of `mp.scoped()`.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { dirname } from "node:path";
import { MpError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import { chooseStorage, type ScriptStorage } from "../storage/choose_storage.ts";
import { encodeKey, scopeKey, userScopeKey } from "../storage/key.ts";
import { lazyStorage, type StorageDrivers } from "../storage/lazy_storage.ts";
import type { AnyScope, ScopesHost } from "../topology/scopes.ts";
import type { Outcome } from "../transact/transaction.ts";
import { Transactor } from "../transact/transactor.ts";
import { withoutDrafts } from "../transact/settle_draft.ts";
import type { View } from "../transact/view.ts";
import { CallContext } from "./call_context.ts";

/** Options of {@linkcode Scopes}. */
export interface ScopesOptions {
  /** The app, which is the namespace of its scopes. */
  readonly app: string;
  /** The topology script; a storage's relative path is relative to its folder. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly drivers: StorageDrivers;
}

/** How long a transaction outside of a call may take, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/** The view of the transaction that surrounds the code that asks. */
const surrounding = new AsyncLocalStorage<View>();

/** See the module's documentation. */
export class Scopes implements ScopesHost {
  #options: ScopesOptions;
  #script: ScriptStorage | undefined;
  #transactor: Transactor | undefined;

  constructor(options: ScopesOptions) {
    this.#options = options;
  }

  /** The storage, while transactions wait because it cannot be reached. */
  missing(): string[] {
    return this.#transactor?.fault ? [`storage ${this.#transactor.storage.name}`] : [];
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
    const ids = names.map((name) => encodeKey(scopeKey(name)));
    const run = (view: View) => body(...ids.map((id) => view.open(id)));
    // what is called within a transaction is part of it
    const outer = surrounding.getStore() ?? context?.view;
    if (outer) return await run(outer);
    if (context) context.effect ??= "mp.scoped()";
    return await this.#use().run((view) => surrounding.run(view, () => copied(run(view))), {
      timeout: Math.max(1, context?.remaining ?? DEFAULT_TIMEOUT),
      scopes: ids,
    });
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
    return this.#use().run((view) => again(context.again(view)), {
      timeout: Math.max(1, context.remaining),
      first: { view: context.view!, outcome: outcome as Outcome },
    });
  }

  /**
   * Notes that the code that asks is about to do what cannot be undone.
   *
   * @throws {MpError} `scope_after_effect` within a transaction, which may run again.
   */
  effect(what: string): void {
    const context = CallContext.current;
    if (surrounding.getStore() || context?.view) {
      throw new MpError(
        "scope_after_effect",
        `Cannot make ${what}: it is made within a transaction, which may run again`,
        {
          next: "Make it before the first use of a scope, or after mp.scoped()",
        },
      );
    }
    if (context) context.effect ??= what;
  }

  /** Ends all transactions, and closes the storage. */
  async close(): Promise<void> {
    this.#transactor?.close();
    await this.#transactor?.storage.close();
  }

  #use(): Transactor {
    if (this.#transactor) return this.#transactor;
    const { app, script, env, drivers } = this.#options;
    const config = chooseStorage({ env, folder: dirname(script), script: this.#script });
    return this.#transactor = new Transactor({ storage: lazyStorage(config, app, drivers) });
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

  #idOf(name: string): string {
    if (name !== "user") return encodeKey(scopeKey(name));
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
  return result instanceof Promise ? result.then(withoutDrafts) : withoutDrafts(result);
}
