import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { counter, type CounterInput } from "../../../runtime/check/counter.ts";
import { History, type Operation } from "../../../runtime/check/history.ts";
import { checkLinearizable, type CheckOptions } from "../../../runtime/check/linearizable.ts";
import type { Model } from "../../../runtime/check/model.ts";
import { register, type RegisterInput } from "../../../runtime/check/register.ts";
import { scopesModel, type ScopesOutput } from "../../../runtime/check/scopes_model.ts";
import { seeded } from "../../support/seeded.ts";
import { drawn } from "./drawn.ts";

/** `w1`, `r1`, `c1>2` (compare and set, which did) and `c1!2` (which did not). */
function asRegister(text: string): [RegisterInput, unknown] {
  const [value, other] = text.slice(1).split(/[>!]/).map((part) =>
    part === "" ? null : Number(part)
  );
  if (text.startsWith("w")) return [{ op: "write", value }, null];
  if (text.startsWith("r")) return [{ op: "read" }, value];
  return [{ op: "compareAndSet", expected: value, value: other }, text.includes(">")];
}

/** `+1=3`, or `=3` for a read. */
function asCounter(text: string): [CounterInput, number] {
  const [amount, sum] = text.split("=");
  return [amount ? { op: "add", amount: Number(amount) } : { op: "read" }, Number(sum)];
}

const REGISTERS: Record<string, readonly [right: boolean, ...lines: string[]]> = {
  "nothing happens": [true],
  "a write is read": [true, "[w1] [r1]"],
  "what was never written is read": [false, "[w1] [r2]"],
  "a read sees a write that it overlaps": [true, "[  w1  ]", "  [r1]"],
  "a read does not see a write that it overlaps": [true, "[  w1  ]", "  [r]"],
  "a read does not see a write that has returned": [false, "[w1]", "     [r]"],
  "a lost update: a write is gone again": [false, "[w1]  [w2]", "          [r2] [r1]"],
  "two reads see two overlapping writes in two orders": [
    false,
    "[    w1    ]",
    "[    w2    ]",
    "             [r1] [r2]",
  ],
  "a value is new for one reader and then old for another": [
    false,
    "[w1] [      w2      ]",
    "       [r2]",
    "            [r1]",
  ],
  "the same, with readers that overlap": [
    true,
    "[w1] [      w2      ]",
    "     [r2 ]",
    "      [r1]",
  ],
  "an order is only found by undoing a choice": [
    true,
    "[       w1       ]",
    "[       w2       ]",
    "[w3 ]",
    "      [r3] [r2] [r1]",
  ],
  "both of two compare the same and set": [false, "[w1]", "     [c1>2]", "     [c1>3]"],
  "one of two compares and sets": [true, "[w1]", "     [c1>2]", "     [c1!3]"],
  "none of two compares and sets": [false, "[w1]", "     [c1!2]", "     [c1!3]"],
  "a write without a return is read": [true, "[w1] [w2?", "          [r2] [r2]"],
  "a write without a return is never read": [true, "[w1] [w2?", "          [r1] [r1]"],
  "a write without a return happens late": [true, "[w1] [w2?", "          [r1] [r2]"],
  "a write without a return happens and is undone": [false, "[w1] [w2?", "          [r2] [r1]"],
  "a write is read before it is called": [false, "     [w1?", "[r1]"],
  "a write without a return happens twice": [
    false,
    "[w1] [w2?",
    "          [r2] [w3] [r3] [r2]",
  ],
  "each of two writes without a return happens once": [
    true,
    "[w2? ",
    "[w2? ",
    "     [r2] [w3] [r3] [r2]",
  ],
};

for (const [name, [right, ...lines]] of Object.entries(REGISTERS)) {
  Deno.test(`checkLinearizable() finds ${right ? "right" : "wrong"}: ${name}`, () => {
    const { outcome } = checkLinearizable(register(), drawn(lines, asRegister));
    assertEquals(outcome, right ? "linearizable" : "violated");
  });
}

const COUNTERS: Record<string, readonly [right: boolean, ...lines: string[]]> = {
  "one after the other": [true, "[+1=1] [+1=2] [=2]"],
  "two get the same sum": [false, "[+1=1]", "[+1=1]"],
  "two at once get different sums": [true, "[+1=2]", "[+1=1]"],
  "an acknowledged addition is lost": [false, "[+1=1] [+1=2] [=1]"],
  "an addition is doubled": [false, "[+1=1] [+1=3]"],
  "an addition without a return is counted": [true, "[+1=1] [+1?", "             [=1] [=2]"],
  "two additions without a return, one of which is counted": [
    true,
    "[+1?",
    "[+1?",
    "    [=0] [=1] [=1]",
  ],
  "two additions without a return, and three are counted": [
    false,
    "[+1?",
    "[+1?",
    "    [=0] [=3]",
  ],
  "the sum goes down": [false, "[+1?", "    [=1] [=0]"],
};

for (const [name, [right, ...lines]] of Object.entries(COUNTERS)) {
  Deno.test(`checkLinearizable() finds ${right ? "right" : "wrong"}, of a counter: ${name}`, () => {
    const { outcome } = checkLinearizable(counter(), drawn(lines, asCounter));
    assertEquals(outcome, right ? "linearizable" : "violated");
  });
}

type Bank = { op: "move"; amount: number } | { op: "look" };

const bank = scopesModel((scopes, input: Bank) => {
  const { a, b } = scopes as { a: { n: number }; b: { n: number } };
  if (input.op === "look") return [a.n, b.n];
  if (a.n < input.amount) throw new Error(`only ${a.n}`);
  a.n -= input.amount;
  b.n += input.amount;
}, { initial: { a: { n: 5 }, b: { n: 0 } }, isRead: ({ op }) => op === "look" });

/** `5/0` for a look, `3` for a move, `3!1` for one that fails as there is only 1. */
function asBank(text: string): [Bank, ScopesOutput] {
  if (text.includes("/")) return [{ op: "look" }, { result: text.split("/").map(Number) }];
  const [amount, rest] = text.split("!");
  return [
    { op: "move", amount: Number(amount) },
    rest === undefined ? { result: undefined } : { error: `only ${rest}` },
  ];
}

const BANKS: Record<string, readonly [right: boolean, ...lines: string[]]> = {
  "money moves": [true, "[5/0] [2] [3/2] [3] [0/5]"],
  "a torn read": [false, "[  2  ]", "[3/0] [3/2]"],
  "money is made": [false, "[2]", "[2]  [3/4]"],
  "a body failed for what it saw": [true, "[ 4 ]", "[3!1]"],
  "a body failed for what never was": [false, "[ 4 ]", "[3!2]"],
  "a body failed for what was long ago": [false, "[5]", "       [6!5]"],
  "a transfer without a return happened as a whole": [true, "[2?", "   [5/0] [3/2]"],
  "a transfer without a return happened by half": [false, "[2?", "   [5/0] [3/0]"],
};

for (const [name, [right, ...lines]] of Object.entries(BANKS)) {
  Deno.test(`checkLinearizable() finds ${right ? "right" : "wrong"}, of scopes: ${name}`, () => {
    const { outcome } = checkLinearizable(bank, drawn(lines, asBank));
    assertEquals(outcome, right ? "linearizable" : "violated");
  });
}

/** Tries every order of every choice of operations that may have happened. */
function isRight<State, Input, Output>(
  { initial, apply }: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): boolean {
  const extend = (state: State, rest: readonly Operation<Input, Output>[]): boolean => {
    if (rest.every(({ returned }) => returned === undefined)) return true;
    return rest.some((next) => {
      if (rest.some(({ returned }) => returned !== undefined && returned.at < next.called)) {
        return false;
      }
      const { state: after, output } = apply(state, next.input);
      const fits = next.returned === undefined ||
        JSON.stringify(output) === JSON.stringify(next.returned.output);
      return fits && extend(after, rest.filter((other) => other !== next));
    });
  };
  return extend(initial, operations);
}

/** A history of a few operations with times, and outputs, at random. */
function someOperations(random: () => number): Operation<RegisterInput, unknown>[] {
  const pick = (most: number) => Math.floor(random() * most);
  return Array.from({ length: 2 + pick(5) }, (_, client) => {
    const kind = pick(3);
    const [input, output]: [RegisterInput, unknown] = kind === 0
      ? [{ op: "read" }, pick(3)]
      : kind === 1
      ? [{ op: "write", value: pick(3) }, null]
      : [{ op: "compareAndSet", expected: pick(3), value: pick(3) }, pick(2) === 0];
    const called = pick(12);
    if (pick(5) === 0) return { client, input, called };
    return { client, input, called, returned: { at: called + pick(6), output } };
  });
}

Deno.test("checkLinearizable() finds what trying every order finds", () => {
  const random = seeded(1).next;
  const counts = { linearizable: 0, violated: 0, undecided: 0 };
  for (let round = 0; round < 4_000; round++) {
    const operations = someOperations(random);
    const { outcome } = checkLinearizable(register(0), operations);
    counts[outcome]++;
    const right = isRight(register(0), operations);
    assertEquals(outcome, right ? "linearizable" : "violated", JSON.stringify(operations));
  }
  assert(counts.linearizable > 500 && counts.violated > 500, JSON.stringify(counts));
});

/** What clients do with a counter that is right, but for `unknown` additions, half of which are lost. */
function longHistory(length: number, clients: number, unknown: number, random: () => number) {
  const history = new History<CounterInput, number>();
  let sum = 0;
  let made = 0;
  const idle = Array.from({ length: clients }, (_, client) => client);
  const busy: { client: number; end: () => void }[] = [];
  while (made < length || busy.length > 0) {
    if (idle.length > 0 && made < length && (random() < 0.5 || busy.length === 0)) {
      const client = idle.splice(Math.floor(random() * idle.length), 1)[0]!;
      const input: CounterInput = random() < 0.5 ? { op: "read" } : { op: "add", amount: 1 };
      const call = history.call(client, input);
      // it takes effect somewhere between
      const apply = () => input.op === "read" ? sum : ++sum;
      const isUnknown = input.op === "add" && made++ % Math.ceil(length / unknown) === 1;
      const early = random() < 0.5 ? apply() : undefined;
      busy.push({
        client,
        end() {
          const output = early ?? (isUnknown && random() < 0.5 ? sum : apply());
          if (!isUnknown) call.returned(output);
        },
      });
    } else {
      const [done] = busy.splice(Math.floor(random() * busy.length), 1);
      done!.end();
      idle.push(done!.client);
    }
  }
  return history.operations;
}

Deno.test("checkLinearizable() checks a long history of many clients, with many that never return", () => {
  const operations = longHistory(20_000, 32, 300, seeded(2).next);
  assertEquals(checkLinearizable(counter(), operations).outcome, "linearizable");
});

Deno.test("checkLinearizable() finds what is wrong at the end of a long history of many clients", () => {
  const operations = longHistory(4_000, 32, 10, seeded(3).next);
  const late = operations.findLastIndex(({ input, returned }) => input.op === "read" && returned);
  const { at, output } = operations[late]!.returned!;
  // there cannot have been so many
  const wrong = operations.with(late, {
    ...operations[late]!,
    returned: { at, output: output + 50 },
  });
  assertEquals(checkLinearizable(counter(), operations).outcome, "linearizable");
  assertEquals(checkLinearizable(counter(), wrong).outcome, "violated");
});

Deno.test("checkLinearizable() checks each part by itself, and names the one that is wrong", () => {
  type Input = RegisterInput & { readonly name: string };
  const history = new History<Input, unknown>();
  const model = register() as Model<unknown, Input, unknown>;
  for (const name of ["a", "b"]) {
    history.call(0, { name, op: "write", value: 1 }).returned(null);
    history.call(1, { name, op: "read" }).returned(name === "a" ? 1 : 2);
  }
  const options: CheckOptions<Input> = { partOf: ({ name }) => name };
  const verdict = checkLinearizable(model, history.operations, options);
  assert(verdict.outcome === "violated");
  assertEquals(verdict.part, "b");
  assertEquals(
    verdict.message,
    [
      "No order explains what the clients got of b.",
      "The longest has 1 operation, at last:",
      '  0: {"name":"b","op":"write","value":1}, called at 4, returned at 5: null',
      "After them the state is 1, and none of these leads on:",
      '  1: {"name":"b","op":"read"}, called at 6, returned at 7: 2',
    ].join("\n"),
  );
  const right = history.operations.filter(({ input }) => input.name === "a");
  assertEquals(checkLinearizable(model, right, options).outcome, "linearizable");
});

Deno.test("checkLinearizable() says how many operations without a return do not help either", () => {
  const verdict = checkLinearizable(
    register(),
    drawn(["[w1] [w2?", "       [r1]  [r3]"], asRegister),
  );
  assert(verdict.outcome === "violated");
  assertStringIncludes(verdict.message, "Nor does an operation without a return");
});

Deno.test("checkLinearizable() is undecided when it may not search for as long as it takes", () => {
  const operations = longHistory(1_000, 8, 10, seeded(3).next);
  assertEquals(checkLinearizable(counter(), operations, { steps: 500 }).outcome, "undecided");
});

Deno.test("History leaves out what failed, and keeps what never ended", () => {
  const history = new History<string, number>();
  history.call("a", "failed").failed();
  history.call("b", "unknown").unknown();
  history.call("c", "pending");
  history.call("d", "returned").returned(1);
  assertEquals(history.operations, [
    { client: "b", input: "unknown", called: 1 },
    { client: "c", input: "pending", called: 2 },
    { client: "d", input: "returned", called: 3, returned: { at: 4, output: 1 } },
  ]);
  assertEquals(history.size, 3);
});
