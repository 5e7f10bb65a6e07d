import { assertEquals, assertStrictEquals } from "@std/assert";
import { scopesModel } from "../../../runtime/check/scopes_model.ts";

const model = scopesModel((
  scopes,
  run: (scopes: Record<string, Record<string, unknown>>) => unknown,
) => run(scopes));

Deno.test("scopesModel() changes nothing of the state that it is given", () => {
  const before = { a: { list: [1] } };
  const { state, output } = model.apply(before, ({ a }) => (a!.list as number[]).push(2));
  assertEquals([before, state, output], [
    { a: { list: [1] } },
    { a: { list: [1, 2] } },
    { result: 2 },
  ]);
});

Deno.test("scopesModel() returns the very state when nothing is changed", () => {
  const before = { a: { n: 1 } };
  assertStrictEquals(model.apply(before, ({ a, b }) => [a!.n, b!.n]).state, before);
  assertStrictEquals(model.apply(before, ({ a }) => a!.n = 1).state, before);
});

Deno.test("scopesModel() takes back what a transaction that throws has changed", () => {
  const before = { a: { n: 1 } };
  const { state, output } = model.apply(before, ({ a }) => {
    a!.n = 2;
    throw new Error("no");
  });
  assertStrictEquals(state, before);
  assertEquals(output, { error: "no" });
});

Deno.test("scopesModel() returns what does not change later", () => {
  const { output } = model.apply({}, ({ a }) => a!.list = [1]);
  const { state } = model.apply({ a: { list: [1] } }, ({ a }) => (a!.list as number[]).push(2));
  assertEquals([output, state], [{ result: [1] }, { a: { list: [1, 2] } }]);
});

Deno.test("scopesModel() makes the same text of the same documents, however they came to be", () => {
  const one = model.apply(
    model.apply({}, ({ a }) => void (a!.n = 1)).state,
    ({ b }) => void (b!.n = 1),
  );
  const other = model.apply(
    model.apply({}, ({ b }) => void (b!.n = 1)).state,
    ({ a }) => void (a!.n = 1),
  );
  assertEquals(JSON.stringify(one.state), JSON.stringify(other.state));
});
