import { assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { SlowChecks } from "../../../runtime/auth/slow_checks.ts";

/** Checks that end when they are told to. */
class Checks {
  readonly begun: string[] = [];
  #ends = new Map<string, PromiseWithResolvers<boolean>>();

  matches(name: string): () => Promise<boolean> {
    return () => {
      this.begun.push(name);
      const end = Promise.withResolvers<boolean>();
      this.#ends.set(name, end);
      return end.promise;
    };
  }

  end(name: string, right: boolean): void {
    this.#ends.get(name)!.resolve(right);
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("SlowChecks.check() makes one check after the other", async () => {
  const slow = new SlowChecks();
  const checks = new Checks();
  const one = slow.check("ada", "1", checks.matches("one"));
  const two = slow.check("bob", "2", checks.matches("two"));
  await turn();
  assertEquals(checks.begun, ["one"]);
  checks.end("one", false);
  assertEquals(await one, false);
  await turn();
  assertEquals(checks.begun, ["one", "two"]);
  checks.end("two", true);
  assertEquals(await two, true);
});

Deno.test("SlowChecks.check() makes the same check once for all who ask meanwhile", async () => {
  const slow = new SlowChecks();
  const checks = new Checks();
  const same = Array.from({ length: 5 }, () => slow.check("ada", "1", checks.matches("one")));
  await turn();
  checks.end("one", false);
  assertEquals(await Promise.all(same), [false, false, false, false, false]);
  assertEquals(checks.begun, ["one"]);
});

Deno.test("SlowChecks.check() remembers what was right, and nothing that was wrong", async () => {
  const slow = new SlowChecks();
  let made = 0;
  const check = (user: string, password: string, right: boolean) =>
    slow.check(user, password, () => {
      made++;
      return Promise.resolve(right);
    });
  assertEquals(await check("ada", "right", true), true);
  // at once, without a promise
  assertEquals(check("ada", "right", false), true);
  assertEquals(made, 1);
  for (let i = 0; i < 3; i++) assertEquals(await check("ada", "wrong", false), false);
  assertEquals(made, 4);
  // the name and the password each count
  assertEquals(await check("bob", "right", false), false);
  assertEquals(await check("adar", "ight", false), false);
  assertEquals(made, 6);
});

Deno.test("SlowChecks.check() forgets the oldest of a thousand", async () => {
  const slow = new SlowChecks();
  const right = () => Promise.resolve(true);
  for (let i = 0; i <= 1000; i++) await slow.check(`user${i}`, "x", right);
  assertEquals(slow.check("user1", "x", right), true);
  assertEquals(slow.check("user0", "x", right) instanceof Promise, true);
});

Deno.test("SlowChecks.check() refuses more than a hundred that wait, and goes on after one that fails", async () => {
  const slow = new SlowChecks();
  const first = Promise.withResolvers<boolean>();
  const waiting = Array.from(
    { length: 100 },
    (_, i) => slow.check("ada", `${i}`, () => i === 0 ? first.promise : Promise.resolve(false)),
  );
  const error = assertThrows(
    () => slow.check("ada", "one too many", () => Promise.resolve(true)),
    MpError,
  );
  assertEquals([error.code, error.retryable], ["overloaded", true]);
  first.reject(new Error("no memory"));
  const [failed, ...others] = await Promise.allSettled(waiting);
  assertEquals(failed!.status, "rejected");
  assertEquals(others.every((one) => one.status === "fulfilled" && one.value === false), true);
  assertEquals(await slow.check("ada", "right", () => Promise.resolve(true)), true);
});
