// Transactions whose callers go away.
import { assertEquals, assertRejects } from "@std/assert";
import { memoryData } from "../../../drivers/storage/memory.ts";
import { type Code, MpError } from "../../../runtime/errors.ts";
import type { Dependent } from "../../../runtime/replica/call_context.ts";
import type { Caller } from "../../../runtime/transact/transaction.ts";
import { Transactor } from "../../../runtime/transact/transactor.ts";
import { settled } from "../../support/virtual_clock.ts";
import { hold, scopeId, ScriptedStorage, unreachable } from "./scripted_storage.ts";

/** A call, and what is done for it. */
class Call implements Caller {
  cancelled: MpError | undefined;
  readonly dependents = new Set<Dependent>();

  adopt(dependent: Dependent): void {
    this.dependents.add(dependent);
  }

  release(dependent: Dependent): void {
    this.dependents.delete(dependent);
  }

  cancel(): void {
    this.cancelled = new MpError("cancelled", "The caller went away");
    for (const dependent of [...this.dependents]) dependent.cancel(this.cancelled);
  }
}

class Setup implements AsyncDisposable {
  readonly storage = new ScriptedStorage(memoryData());
  readonly transactor = new Transactor({ storage: this.storage });

  increment(name: string, caller?: Caller): Promise<number> {
    return this.transactor.run((view) => {
      const scope = view.open(scopeId(name));
      return scope.n = (scope.n ?? 0) + 1;
    }, { timeout: 60_000, scopes: [scopeId(name)], caller });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transactor.close();
  }
}

/** The code that something fails with. */
async function codeOf(promise: Promise<unknown>): Promise<Code> {
  return (await assertRejects(() => promise, MpError)).code;
}

Deno.test("Transactor.run() ends a transaction that waits, when its caller goes away", async () => {
  await using setup = new Setup();
  const held = hold();
  setup.storage.fates.push(held.fate);
  const first = setup.increment("a");
  await held.arrived;
  // these two rest on the first, and leave with the next request
  const call = new Call();
  const waits = setup.increment("a", call);
  const behind = setup.increment("a");
  await settled();
  assertEquals(call.dependents.size, 1);
  call.cancel();
  assertEquals(await codeOf(waits), "cancelled");
  assertEquals(call.dependents.size, 0);
  held.release();
  // what ran behind it has run again, as if it had never been
  assertEquals([await first, await behind], [1, 2]);
  assertEquals(await setup.storage.get("a"), { n: 2 });
});

Deno.test("Transactor.run() lets a commit go on that others are part of, when one's caller goes away", async () => {
  await using setup = new Setup();
  const [first, held] = [hold(), hold()];
  setup.storage.fates.push(first.fate, held.fate);
  const before = setup.increment("a");
  await first.arrived;
  const call = new Call();
  const goes = setup.increment("a", call);
  const stays = setup.increment("a");
  first.release();
  assertEquals(await before, 1);
  await held.arrived;
  call.cancel();
  // it is in the request, so nobody can tell
  assertEquals(await codeOf(goes), "commit_unknown");
  held.release();
  assertEquals(await stays, 3);
  assertEquals(await setup.storage.get("a"), { n: 3 });
  assertEquals(setup.storage.requests.length, 2);
});

Deno.test("Transactor.run() lets a commit land that is only of a caller that goes away", async () => {
  await using setup = new Setup();
  await setup.increment("a");
  const held = hold();
  setup.storage.fates.push(held.fate);
  const call = new Call();
  const goes = setup.increment("a", call);
  await held.arrived;
  call.cancel();
  assertEquals(await codeOf(goes), "commit_unknown");
  held.release();
  // one request each: what has landed is known here
  assertEquals(await setup.increment("a"), 3);
  assertEquals(setup.storage.requests.length, 3);
});

Deno.test("Transactor.run() ends a transaction at once whose storage is away, when its caller goes away", async () => {
  await using setup = new Setup();
  await setup.increment("a");
  setup.storage.otherwise = unreachable;
  setup.storage.reading = () => Promise.reject(new Error("away"));
  const call = new Call();
  const goes = [setup.increment("a", call), setup.increment("b", call)];
  while (setup.transactor.fault === undefined) await settled();
  call.cancel();
  for (const each of goes) {
    // of a request that certainly never left, it is known
    assertEquals(["cancelled", "commit_unknown"].includes(await codeOf(each)), true);
  }
  assertEquals(call.dependents.size, 0);
  setup.storage.otherwise = (run) => run();
  setup.storage.reading = () => Promise.resolve();
  assertEquals(await setup.increment("a"), 2);
});

Deno.test("Transactor.run() ends a transaction whose body waits, or waits for its turn", async () => {
  await using setup = new Setup();
  const call = new Call();
  const gate = Promise.withResolvers<void>();
  const scopes = [scopeId("a")];
  const slow = (caller?: Caller) =>
    setup.transactor.run(async (view) => {
      const scope = view.open(scopeId("a"));
      await gate.promise;
      scope.n = 1;
    }, { timeout: 60_000, scopes, caller });
  const computing = slow(call);
  const turn = setup.increment("a", call);
  await settled();
  call.cancel();
  assertEquals([await codeOf(computing), await codeOf(turn)], ["cancelled", "cancelled"]);
  gate.resolve();
  assertEquals(await setup.increment("a"), 1);
});

Deno.test("Transactor.run() begins nothing for a caller that has gone away", async () => {
  await using setup = new Setup();
  const call = new Call();
  call.cancel();
  let runs = 0;
  const never = setup.transactor.run(() => runs++, { timeout: 60_000, caller: call });
  assertEquals([await codeOf(never), runs], ["cancelled", 0]);
});
