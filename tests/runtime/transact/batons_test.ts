import { assert, assertEquals, assertFalse } from "@std/assert";
import { decodeKey } from "../../../runtime/storage/key.ts";
import type { CommitResult } from "../../../runtime/storage/storage.ts";
import { type Baton, decodeBaton, encodeBaton } from "../../../runtime/transact/baton.ts";
import { Batons } from "../../../runtime/transact/batons.ts";
import { type MadeCommit, makeCommit } from "../../../runtime/transact/make_commit.ts";
import { Overlay, State } from "../../../runtime/transact/overlay.ts";
import { Rotation } from "../../../runtime/transact/rotation.ts";
import { settled } from "../../support/virtual_clock.ts";
import { scopeId } from "./scripted_storage.ts";

const own = "b-session";
const scope = scopeId("s");

const of = (version: string, ...rests: string[]): Baton => ({
  scope,
  version,
  text: '{"n":1}',
  rests,
});

/** Replica b, where a, c and d change the scope too. */
class Setup {
  readonly overlay = new Overlay();
  readonly rotation = new Rotation(() => 0.5);
  readonly told: [string, Baton][] = [];
  /** The scopes that are changed by a commit that is on its way, and those that somebody waits for. */
  readonly written = new Set<string>();
  readonly wanted = new Set<string>();
  taken = 0;
  readonly batons: Batons;

  constructor(away: readonly string[] = []) {
    const versions = ["a-session.1", "c-session.1", "d-session.1"];
    this.rotation.handed(scope, { versions, own, roundTrip: 1 }, 0);
    this.batons = new Batons({
      siblings: {
        tell: (session, text) => {
          if (away.includes(session)) return false;
          this.told.push([session, decodeBaton(text)!]);
          return true;
        },
      },
      overlay: this.overlay,
      rotation: this.rotation,
      own: () => ({ session: own, roundTrip: 1 }),
      isWritten: (scope) => this.written.has(scope),
      isWanted: (scope) => this.wanted.has(scope),
      onTaken: () => this.taken++,
    });
  }

  take(baton: Baton): void {
    this.batons.take(encodeBaton(baton));
  }

  /** A commit of this replica that changes a scope, and leaves. */
  leave(before: string | null, { seq = 7, name = "s", n = 1 as unknown } = {}): MadeCommit {
    const reads = new Map([[scopeId(name), State.stored(undefined, before)]]);
    const written = { state: State.written({ n }), expiresAt: undefined };
    const attempt = { outcome: { value: 1 }, reads, writes: new Map([[scopeId(name), written]]) };
    const made = makeCommit([attempt], { session: own, seq });
    this.batons.leave([made]);
    return made;
  }

  /** Who was told what, once all has left. */
  async tellings(): Promise<[string, Baton][]> {
    for (let i = 0; i < 3; i++) await settled();
    return this.told.splice(0);
  }
}

Deno.test("Batons.leave() tells who is next, and on which commits the scope rests", async () => {
  const setup = new Setup();
  setup.leave("a-session.1");
  // not before the commit itself
  assertEquals(setup.told, []);
  assertEquals(await setup.tellings(), [["c-session", of("b-session.7", "a-session.1")]]);
  setup.wanted.add(scope);
  setup.take(of("a-session.2", "d-session.1"));
  setup.leave("a-session.2", { seq: 8 });
  assertEquals(await setup.tellings(), [
    ["c-session", of("b-session.8", "a-session.2", "d-session.1")],
  ]);
  // what has come is not what the commit rests on
  setup.take(of("a-session.3", "d-session.2"));
  setup.leave("c-session.9", { seq: 9 });
  setup.leave(null, { seq: 10 });
  assertEquals((await setup.tellings()).map(([, { rests }]) => rests), [["c-session.9"], []]);
});

Deno.test("Batons.leave() hands on nothing that nobody waits for, or that is large", async () => {
  const setup = new Setup();
  setup.leave("a-session.1", { name: "other" });
  setup.leave("a-session.1", { n: "x".repeat(100_000) });
  assertEquals(await setup.tellings(), []);
  setup.wanted.add(scope);
  setup.take(of("a-session.2", ...Array.from({ length: 40 }, (_, i) => `d-session.${i}`)));
  setup.leave("a-session.2");
  const [[, { rests }]] = await setup.tellings() as [[string, Baton]];
  assertEquals([rests.length, rests[0]], [16, "a-session.2"]);
});

Deno.test("Batons.leave() tells the next one that can be reached", async () => {
  const setup = new Setup(["c-session"]);
  setup.leave("a-session.1");
  assertEquals((await setup.tellings()).map(([to]) => to), ["d-session"]);
  const alone = new Setup(["a-session", "c-session", "d-session"]);
  alone.leave("a-session.1");
  assertEquals(await alone.tellings(), []);
});

Deno.test("Batons.take() goes on from what has come, where somebody waits for it", async () => {
  const setup = new Setup();
  setup.wanted.add(scope);
  setup.take(of("a-session.2"));
  const state = setup.overlay.peek(scope)!;
  assertEquals([state.version, state.data, setup.taken], ["a-session.2", { n: 1 }, 1]);
  setup.take({ ...of("c-session.2"), text: null });
  assertEquals(setup.overlay.peek(scope)!.data, undefined);
  setup.batons.take("no baton");
  assertEquals(setup.taken, 2);
  assertEquals(await setup.tellings(), []);
});

Deno.test("Batons.take() hands on as it came what nobody has a use for, until it is back at whose commit it is", async () => {
  const setup = new Setup();
  setup.take(of("a-session.2", "d-session.1"));
  assertEquals(await setup.tellings(), [["c-session", of("a-session.2", "d-session.1")]]);
  setup.take(of("b-session.7", "a-session.2"));
  assertEquals(await setup.tellings(), []);
  assertEquals(setup.rotation.until(scope, performance.now()), undefined);
});

Deno.test("Batons.landed() goes on from what came while a commit was on its way, if it is newer", async () => {
  for (
    const [version, rests] of [
      ["b-session.7", true], // the commit was carried out, and this rests on it
      ["d-session.1", true], // it was refused, and this rests on what was there instead
      ["d-session.2", false], // nothing is known of what is there instead
    ] as const
  ) {
    const setup = new Setup();
    setup.written.add(scope);
    setup.wanted.add(scope);
    setup.take(of("a-session.2", "d-session.1", "b-session.7"));
    assertEquals([setup.taken, setup.overlay.peek(scope)], [0, undefined]);
    setup.written.clear();
    setup.batons.landed(scope, version);
    assertEquals(setup.overlay.peek(scope)?.version, rests ? "a-session.2" : undefined, version);
    // once
    setup.batons.landed(scope, "a-session.2");
    assertEquals(await setup.tellings(), []);
  }
});

Deno.test("Batons.refused() makes all void that rests on the commit", () => {
  const setup = new Setup();
  setup.written.add(scope);
  setup.take(of("a-session.2", "d-session.1", "b-session.7"));
  setup.batons.refused(scope, "b-session.7");
  setup.written.clear();
  setup.batons.landed(scope, "d-session.1");
  setup.take(of("c-session.4", "a-session.2", "b-session.7"));
  assertEquals([setup.taken, setup.overlay.peek(scope)], [0, undefined]);
  setup.take({ ...of("c-session.4", "b-session.7"), scope: scopeId("other") });
  setup.take(of("c-session.4", "a-session.2"));
  assertEquals(setup.taken, 2);
  // what rests on another is kept
  setup.written.add(scope);
  setup.take(of("d-session.4", "c-session.4"));
  setup.batons.refused(scope, "b-session.8");
  setup.batons.landed(scope, "c-session.4");
  assertEquals(setup.overlay.peek(scope)!.version, "d-session.4");
});

Deno.test("Batons.areEarly() tells commits that others are to come before from those that have lost", () => {
  const setup = new Setup();
  setup.wanted.add(scope);
  setup.take(of("a-session.2", "d-session.1", "c-session.1"));
  setup.leave("a-session.2");
  const refused = (...versions: (string | null)[]) => ({
    done: false as const,
    current: versions.map((version) => ({ key: decodeKey(scope), version, value: undefined })),
  });
  const isEarly = (...results: CommitResult[]) => setup.batons.areEarly(results);
  assert(isEarly(refused("d-session.1")) && isEarly(refused("c-session.1")));
  assertFalse(isEarly(refused("e-session.1")));
  assertFalse(isEarly(refused(null)));
  // some of it has been carried out
  assertFalse(isEarly(refused("d-session.1"), { done: true }));
  // the next one rests on nothing that has not come
  setup.leave("b-session.7", { seq: 8 });
  assertFalse(isEarly(refused("d-session.1")));
});
