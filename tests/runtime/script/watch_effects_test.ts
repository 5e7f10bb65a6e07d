import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { watchEffects } from "../../../runtime/script/watch_effects.ts";

/** The globals of a script, and what they have told. */
function watched(refused = false) {
  const effects: string[] = [];
  const globals = watchEffects(globalThis, (effect) => {
    effects.push(effect);
    if (refused) throw new Error(`no ${effect}`);
  }) as typeof globalThis;
  return { effects, globals };
}

Deno.test("watchEffects() tells of what cannot be undone, and does it", async () => {
  const { effects, globals: { Deno: deno, fetch } } = watched();
  const folder = await deno.makeTempDir({ prefix: "mp-test-" });
  await deno.writeTextFile(`${folder}/a`, "text");
  deno.renameSync(`${folder}/a`, `${folder}/b`);
  (await deno.open(`${folder}/b`, { append: true })).close();
  assertEquals(await (await fetch("data:,text")).text(), "text");
  const { success } = await new deno.Command(Deno.execPath(), { args: ["--version"] }).output();
  assert(success);
  await deno.remove(folder, { recursive: true });
  assertEquals(effects, [
    "a call of Deno.makeTempDir()",
    "a call of Deno.writeTextFile()",
    "a call of Deno.renameSync()",
    "a call of Deno.open()",
    "a call of fetch()",
    "a new Deno.Command",
    "a call of Deno.remove()",
  ]);
});

Deno.test("watchEffects() tells nothing of what only looks", async () => {
  const { effects, globals } = watched(true);
  const { Deno: deno, Math, Date, crypto, performance, console, setTimeout, navigator } = globals;
  assert(deno.readTextFileSync(new URL(import.meta.url)).includes("only looks"));
  (await deno.open(new URL(import.meta.url))).close();
  assertEquals([deno.pid, deno.args, deno.errors.NotFound], [
    Deno.pid,
    Deno.args,
    Deno.errors.NotFound,
  ]);
  assert(Math.random() < 1 && Date.now() > 0 && performance.now() > 0 && navigator.userAgent);
  assertEquals(crypto.randomUUID().length, 36);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(console, globalThis.console);
  assertEquals(effects, []);
});

Deno.test("watchEffects() lets nothing happen that is refused", async () => {
  const { globals: { Deno: deno, fetch, WebSocket, EventSource } } = watched(true);
  await assertRejects(() => fetch("data:,text"), Error, "no a call of fetch()");
  await assertRejects(() => deno.writeTextFile("/nowhere/a", ""), Error, "no a call of");
  await assertRejects(() => deno.open("/nowhere/a", { write: true }), Error, "no a call of");
  assertThrows(() => deno.removeSync("/nowhere"), Error, "no a call of Deno.removeSync()");
  assertThrows(() => new deno.Command("nothing"), Error, "no a new Deno.Command");
  assertThrows(() => new WebSocket("ws://127.0.0.1:1"), Error, "no a new WebSocket");
  assertThrows(() => new EventSource("http://127.0.0.1:1"), Error, "no a new EventSource");
});

Deno.test("watchEffects() leaves names, statics and instances what they are", () => {
  const { globals: { WebSocket, Deno: deno, fetch } } = watched();
  assertEquals([WebSocket.name, WebSocket.OPEN, fetch.name], ["WebSocket", 1, "fetch"]);
  assertEquals(deno.writeTextFile, deno.writeTextFile);
  assert(Object.keys(deno).includes("writeTextFile") && "serve" in deno);
});

Deno.test("watchEffects() sees what is reached by the global object", async () => {
  const { effects, globals } = watched(true);
  const { globalThis: whole, self } = globals as unknown as {
    globalThis: typeof globalThis;
    self: typeof globalThis;
  };
  await assertRejects(() => whole.fetch("data:,text"), Error, "no a call of fetch()");
  await assertRejects(() => whole.globalThis.fetch("data:,text"), Error, "no a call of fetch()");
  await assertRejects(() => self.Deno.writeTextFile("/nowhere/a", ""), Error, "no a call of");
  assertThrows(() => new whole.WebSocket("ws://127.0.0.1:1"), Error, "no a new WebSocket");
  assertEquals(effects.length, 4);
  // everything else is as it was
  assert(self === whole && whole.globalThis === whole && whole.Math === Math);
  assertEquals(whole.structuredClone({ a: whole.crypto.randomUUID().length }), { a: 36 });
  assert(whole.performance.now() > 0 && whole.navigator.userAgent);
  const heard = new Promise((resolve) => whole.addEventListener("mp", resolve, { once: true }));
  whole.dispatchEvent(new Event("mp"));
  await heard;
  await new Promise<void>((resolve) => whole.setTimeout(resolve, 0));
});

Deno.test("watchEffects() leaves what a script puts into the global object to the script", () => {
  const { effects, globals: { globalThis: whole } } = watched(true) as unknown as {
    effects: string[];
    globals: { globalThis: typeof globalThis & { mpTest?: number } };
  };
  const { fetch } = globalThis;
  try {
    whole.mpTest = 1;
    assertEquals((globalThis as { mpTest?: number }).mpTest, 1);
    const mine = () => Promise.resolve(new Response("mine"));
    whole.fetch = mine;
    assertEquals(whole.fetch, mine);
    assertEquals(globalThis.fetch, mine);
    assertEquals(effects, []);
  } finally {
    globalThis.fetch = fetch;
    delete (globalThis as { mpTest?: number }).mpTest;
  }
});

Deno.test("watchEffects() looks at no member before a script does", () => {
  const looked: PropertyKey[] = [];
  const globals: object = new Proxy({
    EventSource,
    fetch,
    get globalThis() {
      return globals;
    },
  }, {
    get(target, name) {
      looked.push(name);
      return Reflect.get(target, name);
    },
  });
  const watched = watchEffects(globals, () => {}) as typeof globalThis;
  const { globalThis: whole } = watched;
  assertEquals(looked.filter((name) => name === "EventSource" || name === "fetch"), []);
  assert(watched.EventSource !== EventSource && whole.fetch !== fetch);
  assertEquals(looked.includes("EventSource") && looked.includes("fetch"), true);
});

Deno.test("watchEffects() leaves what a script defines before it has looked to the script", () => {
  const original = { configurable: true, writable: true, value: () => {} };
  const globals: { globalThis: object } = Object.defineProperty(
    {
      get globalThis() {
        return globals;
      },
    },
    "fetch",
    original,
  );
  const { globalThis: whole } = watchEffects(globals, () => {}) as typeof globalThis;
  const mine = () => {};
  Object.defineProperty(whole, "fetch", { ...original, value: mine });
  assertEquals<unknown>(whole.fetch, mine);
});
