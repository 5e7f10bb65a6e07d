import { assert, assertEquals } from "@std/assert";
import { knownUsers } from "../../../runtime/auth/known_users.ts";
import { parseHtpasswd } from "../../../runtime/auth/htpasswd.ts";
import { plainPassword, type StoredPassword } from "../../../runtime/auth/stored_password.ts";

const noFault = (error: unknown) => {
  throw error;
};

/** A password that notes what it is compared with. */
function noting(password: string, slow: boolean): StoredPassword & { readonly given: string[] } {
  const given: string[] = [];
  return {
    slow,
    given,
    matches(other) {
      given.push(other);
      return slow ? Promise.resolve(other === password) : other === password;
    },
  };
}

Deno.test("knownUsers() lets in a known name with its own password, and nobody else", async () => {
  for (const slow of [false, true]) {
    const check = knownUsers(
      new Map([["ada", noting("one", slow)], ["bob", noting("two", slow)]]),
      "seed",
    );
    assertEquals(await check("ada", "one", noFault), true);
    assertEquals(await check("bob", "two", noFault), true);
    for (const password of ["one", "two", "three", ""]) {
      for (const name of ["eve", "", "Ada", "ada ", "constructor"]) {
        assertEquals(await check(name, password, noFault), false, `${name}:${password}`);
      }
    }
    assertEquals(await check("ada", "two", noFault), false);
    assertEquals(await check("bob", "one", noFault), false);
  }
});

Deno.test("knownUsers() compares one password for each call, whether the name is known or not", async () => {
  for (const slow of [false, true]) {
    const stored = noting("one", slow);
    const check = knownUsers(new Map([["ada", stored]]), "seed");
    for (const name of ["ada", "eve", "a", "constructor", "x".repeat(500)]) {
      assertEquals(await check(name, `wrong ${name}`, noFault), false);
    }
    assertEquals(stored.given.length, 5);
    // even the right password of another is compared, and refused
    assertEquals(await check("eve", "one", noFault), false);
    assertEquals(stored.given.at(-1), "one");
  }
});

Deno.test("knownUsers() gives an unknown name the cost of the same known one every time, each its share", async () => {
  const users = Array.from({ length: 4 }, (_, i) => noting(`${i}`, false));
  const check = knownUsers(new Map(users.map((stored, i) => [`user${i}`, stored])), "seed");
  for (let i = 0; i < 400; i++) await check(`unknown${i}`, "x", noFault);
  for (const { given } of users) assert(given.length > 60 && given.length < 140, `${given.length}`);
  const before = users.map(({ given }) => given.length);
  for (let i = 0; i < 10; i++) await check("unknown1", "x", noFault);
  const more = users.map(({ given }, i) => given.length - before[i]!);
  assertEquals(more.toSorted(), [0, 0, 0, 10]);
  // another seed, another choice
  const others = Array.from({ length: 20 }, (_, i) =>
    knownUsers(
      new Map([
        ["a", noting("a", false)],
        ["b", noting("b", true)],
      ]),
      `seed ${i}`,
    )("eve", "x", noFault) instanceof Promise);
  assertEquals(new Set(others).size, 2);
});

/** The median of what calls take, in milliseconds, each kind in turn so that all meet the same noise. */
async function medians(
  rounds: number,
  calls: readonly ((round: number) => unknown)[],
): Promise<number[]> {
  const times: number[][] = calls.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, call] of calls.entries()) {
      const began = performance.now();
      await call(round);
      times[i]!.push(performance.now() - began);
    }
  }
  return times.map((all) => all.toSorted((a, b) => a - b)[rounds >> 1]!);
}

Deno.test("knownUsers() takes as long for unknown names as for wrong passwords", async () => {
  // a comparison of bcrypt takes 20 ms at this cost, and a missing one nothing
  const bcrypt = "$2b$08$aMQaP3yiZTJl5GHGNxmPouPg3htg1R/Zhmii.WbulQO02/fOtdvQO";
  const file = parseHtpasswd(`ada:${bcrypt}\nbob:${bcrypt}`);
  assert(typeof file === "object");
  const plain = new Map([["ada", plainPassword("one")], ["bob", plainPassword("two")]]);
  for (const [users, rounds] of [[file, 9], [plain, 4000]] as const) {
    const check = knownUsers(users, "seed");
    const wrong = (name: string) => (round: number) => check(name, `wrong ${round}`, noFault);
    const [known = 0, unknown = 0] = await medians(rounds, [wrong("ada"), wrong("eve")]);
    const ratio = unknown / known;
    assert(
      ratio > 1 / 2 && ratio < 2,
      `${unknown} ms for unknown names, ${known} ms for known ones`,
    );
  }
});
