import { assert, assertEquals } from "@std/assert";
import { type Baton, decodeBaton } from "../../../runtime/transact/baton.ts";
import { Batons } from "../../../runtime/transact/batons.ts";
import { Rotation } from "../../../runtime/transact/rotation.ts";

const own = "b-session";

/** What replica b knows and tells, where a, c and d change the scope `s` too. */
function set({ away = [] as string[] } = {}) {
  const rotation = new Rotation(() => 0.5);
  const versions = ["a-session.1", "c-session.1", "d-session.1"];
  rotation.handed("s", { versions, own, roundTrip: 1 }, 0);
  const told: [string, Baton][] = [];
  const siblings = {
    tell(session: string, text: string) {
      if (away.includes(session)) return false;
      told.push([session, decodeBaton(text)!]);
      return true;
    },
  };
  return { batons: new Batons({ siblings, rotation, session: () => own }), told };
}

const of = (version: string, ...rests: string[]): Baton => ({
  scope: "s",
  version,
  text: "{}",
  rests,
});
const change = (before: string | null, text = "{}") => ({
  scope: "s",
  version: `${own}.7`,
  text,
  before,
});

Deno.test("Batons.use() tells on which commits a scope rests", () => {
  const { batons } = set();
  assertEquals(batons.use(change("a-session.1")), of("b-session.7", "a-session.1"));
  batons.keep(of("a-session.2", "d-session.1"));
  assertEquals(batons.use(change("a-session.2")), of("b-session.7", "a-session.2", "d-session.1"));
  assertEquals(batons.scopes, []);
  // what has come is not what the commit rests on
  batons.keep(of("a-session.3", "d-session.2"));
  assertEquals(batons.use(change("c-session.9")), of("b-session.7", "c-session.9"));
  assertEquals(batons.use(change(null)), of("b-session.7"));
});

Deno.test("Batons.use() hands on nothing that nobody waits for, or that is large", () => {
  const { batons } = set();
  assertEquals(batons.use({ ...change("a-session.1"), scope: "other" }), undefined);
  assertEquals(batons.use(change("a-session.1", "x".repeat(100_000))), undefined);
  batons.keep(of("a-session.2", ...Array.from({ length: 40 }, (_, i) => `d-session.${i}`)));
  assert(batons.use(change("a-session.2"))!.rests.length < 20);
});

Deno.test("Batons.handOn() tells the next one that can be reached", () => {
  const { batons, told } = set({ away: ["c-session"] });
  batons.handOn(of("b-session.7"));
  assertEquals(told, [["d-session", of("b-session.7")]]);
  const alone = set({ away: ["a-session", "c-session", "d-session"] });
  alone.batons.handOn(of("b-session.7"));
  assertEquals(alone.told, []);
});

Deno.test("Batons.pass() hands on as it came, until it is back at whose commit it is", () => {
  const { batons, told } = set();
  batons.keep(of("a-session.2", "d-session.1"));
  batons.pass("s");
  assertEquals(told, [["c-session", of("a-session.2", "d-session.1")]]);
  batons.keep(of("b-session.7", "a-session.2"));
  batons.pass("s");
  assertEquals(told.length, 1);
  assertEquals(batons.scopes, []);
});

Deno.test("Batons.refused() makes all void that rests on the commit", () => {
  const { batons } = set();
  batons.keep(of("a-session.2", "d-session.1", "b-session.7"));
  batons.refused("s", "b-session.7");
  assertEquals(batons.scopes, []);
  assert(batons.isVoid(of("c-session.4", "a-session.2", "b-session.7")));
  assert(!batons.isVoid(of("c-session.4", "a-session.2")));
  assert(!batons.isVoid({ ...of("b-session.7"), scope: "other" }));
  // one that rests on another is kept
  batons.keep(of("c-session.4", "a-session.2"));
  batons.refused("s", "b-session.8");
  assertEquals(batons.after("s", "a-session.2"), of("c-session.4", "a-session.2"));
  assertEquals(batons.after("s", "b-session.8"), undefined);
});
