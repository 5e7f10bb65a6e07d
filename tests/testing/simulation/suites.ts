/**
 * What is simulated of the project's own patterns and transactions: for each, what clients do and what
 * must hold, whatever fails.
 *
 * @module
 */

import {
  assertExactlyOnce,
  assertLinearizable,
  counter,
  type CounterInput,
  History,
  MpError,
  type SimulateOptions,
} from "@metaparticle/mp/testing";

/** One suite. */
export interface Suite {
  readonly name: string;
  /** The topology script, a URL. */
  readonly script: string;
  /** Made anew for each simulation. */
  readonly options: () => SimulateOptions;
}

const at = (path: string) => import.meta.resolve(path);

/** Fails that say that nothing has happened, and never will. */
const CERTAIN = ["storage_unavailable", "scope_conflict", "overloaded"];

/** A client's part of the error: whether what it asked for may have happened. */
function mayHaveHappened(error: unknown): boolean {
  return !(error instanceof MpError && CERTAIN.includes(error.code));
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Every suite. */
export const SUITES: readonly Suite[] = [
  {
    name: "scopes: a counter is linearizable",
    script: at("../topologies/counter.ts"),
    options() {
      let history = new History<CounterInput, number>();
      return {
        async scenario(app, world) {
          history = new History();
          await world.clients(3, async (client) => {
            for (let i = 0; i < 4; i++) {
              const input: CounterInput = world.random() < 0.3
                ? { op: "read" }
                : { op: "add", amount: 1 + world.below(3) };
              const call = history.call(client, input);
              const amount = input.op === "add" ? input.amount : 0;
              await app.call<number>("counter", amount, { timeout: 2_000 }).then(
                (sum) => call.returned(sum),
                (error) => mayHaveHappened(error) ? call.unknown() : call.failed(),
              );
              await world.delay(world.below(30));
            }
          });
        },
        async eventually(app) {
          const call = history.call("after", { op: "read" });
          call.returned(await app.call<number>("counter", 0));
          assertLinearizable(counter(), history.operations);
        },
      };
    },
  },
  {
    name: "scatter: every leaf is asked once, and answers for itself",
    script: at("../topologies/words.ts"),
    options: () => ({
      async scenario(app, world) {
        await world.clients(2, async () => {
          for (let i = 0; i < 4; i++) {
            const word = "x".repeat(world.below(5));
            const parts = await app.call<{ index: number; length: number }[]>("words", word, {
              timeout: 1_000,
            }).catch(() => undefined);
            if (parts === undefined) continue;
            check(
              JSON.stringify(parts.map(({ index }) => index)) === "[0,1,2]",
              `the leaves that answered: ${JSON.stringify(parts)}`,
            );
            check(parts.every(({ length }) => length === word.length), `another word's answer`);
          }
        });
      },
      async eventually(app) {
        return (await app.call<unknown[]>("words", "x")).length === 3;
      },
    }),
  },
  {
    name: "shard: a key is always on the same shard, and keeps its notes",
    script: at("../topologies/keyed.ts"),
    options() {
      const users = ["ada", "bea", "cyd", "dov"];
      const shards = new Map<string, number>();
      let acknowledged: string[] = [];
      let unknown: string[] = [];
      return {
        async scenario(app, world) {
          [acknowledged, unknown] = [[], []];
          await world.clients(3, async (client) => {
            for (let i = 0; i < 4; i++) {
              const user = world.pick(users);
              const mark = `${client}.${i}`;
              await app.call<{ kept: number; shard: number }>("notes", { user, mark }, {
                timeout: 1_500,
              }).then(({ shard }) => {
                check((shards.get(user) ?? shard) === shard, `${user} moved to ${shard}`);
                shards.set(user, shard);
                acknowledged.push(mark);
              }, () => void unknown.push(mark));
            }
          });
        },
        eventually(_app, { scope }) {
          const found = users.flatMap((user) =>
            scope<{ marks: string[] }>(`notes of ${user}`)?.marks ?? []
          );
          // the router repeats no call that may have begun, so what failed is there at most once
          assertExactlyOnce({ acknowledged, unknown }, found);
        },
      };
    },
  },
  {
    name: "retries: with a key, what is asked again happens once",
    script: at("../topologies/retried.ts"),
    options() {
      let acknowledged: string[] = [];
      let unknown: string[] = [];
      return {
        async scenario(app, world) {
          [acknowledged, unknown] = [[], []];
          await world.clients(3, async (client) => {
            for (let i = 0; i < 3; i++) {
              const mark = `${client}.${i}`;
              await app.call("till", mark, { timeout: 4_000 }).then(
                () => void acknowledged.push(mark),
                () => void unknown.push(mark),
              );
            }
          });
        },
        eventually(_app, { scope }) {
          const found = scope<{ all: string[] }>("marks")?.all ?? [];
          assertExactlyOnce({ acknowledged, unknown }, found);
        },
      };
    },
  },
  {
    name: "keys: what a caller was told to have failed is not carried out later",
    script: at("../topologies/tickets.ts"),
    options() {
      let acknowledged: string[] = [];
      let unknown: string[] = [];
      return {
        async scenario(app, world) {
          [acknowledged, unknown] = [[], []];
          const buy = async (mark: string): Promise<void> => {
            for (let attempt = 0; attempt < 5; attempt++) {
              try {
                await app.call("buy", mark, {
                  idempotencyKey: mark,
                  timeout: 1 + world.below(400),
                });
                return void acknowledged.push(mark);
              } catch (error) {
                // sold out is sold out, whatever becomes of earlier attempts
                if (error instanceof MpError && error.code === "handler_failed") return;
              }
            }
            unknown.push(mark);
          };
          await world.clients(3, async (client) => {
            for (let i = 0; i < 4; i++) {
              if (client === 0) await app.call("add", undefined, { timeout: 500 }).catch(() => {});
              else await buy(`${client}.${i}`);
              await world.delay(world.below(30));
            }
          });
        },
        eventually(_app, { scope }) {
          const found = scope<{ sold?: string[] }>("tickets")?.sold ?? [];
          assertExactlyOnce({ acknowledged, unknown }, found);
        },
      };
    },
  },
  {
    name: "hedging: every answer is that of its own question",
    script: at("../topologies/hedged.ts"),
    options: () => ({
      async scenario(app, world) {
        await world.clients(4, async () => {
          for (let i = 0; i < 5; i++) {
            const number = world.below(1_000);
            const answer = await app.call<{ number: number; square: number }>("squares", number, {
              timeout: 1_000,
            }).catch(() => undefined);
            if (answer === undefined) continue;
            check(
              answer.number === number && answer.square === number * number,
              `the answer to ${number} is ${JSON.stringify(answer)}`,
            );
          }
        });
      },
      async eventually(app) {
        return (await app.call<{ square: number }>("squares", 12)).square === 144;
      },
    }),
  },
  {
    name: "nested: each shard asks its own leaves",
    script: at("../topologies/nested.ts"),
    options: () => ({
      async scenario(app, world) {
        const shards = new Map<string, string>();
        await world.clients(2, async () => {
          for (let i = 0; i < 4; i++) {
            const user = world.pick(["ada", "bea", "cyd"]);
            const parts = await app.call<{ index: number; name: string }[]>(
              "nested",
              { user, word: "four" },
              { timeout: 1_000 },
            ).catch(() => undefined);
            if (parts === undefined) continue;
            const names = parts.map(({ name }) => name).join();
            check(
              [
                "nested.compute.scatter.0,nested.compute.scatter.1",
                "nested.compute.scatter.2,nested.compute.scatter.3",
              ]
                .includes(names),
              `leaves of two shards: ${names}`,
            );
            check((shards.get(user) ?? names) === names, `${user} moved to ${names}`);
            shards.set(user, names);
          }
        });
      },
      async eventually(app) {
        return (await app.call<unknown[]>("nested", { user: "ada", word: "x" })).length === 2;
      },
    }),
  },
];
