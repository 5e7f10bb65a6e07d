import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Draft, draftOf } from "../../../runtime/transact/draft.ts";
import { copyDraft, settleDraft, withoutDrafts } from "../../../runtime/transact/settle_draft.ts";

// deno-lint-ignore no-explicit-any -- any JSON
type Any = any;

/** Runs a body on a document, and returns what it has come to. The document itself never changes. */
function change(document: Any, body: (draft: Any) => void): Any {
  const before = JSON.stringify(document);
  const draft = draftFor(document);
  body(draft.proxy);
  const after = settleDraft(draft);
  assertEquals(JSON.stringify(document), before);
  return after;
}

function draftFor(document: Any, use: () => void = () => {}): Draft {
  const owner = { use, drafts: new Map(), foreign: new Set<object>() };
  return new Draft(owner, "scope:x", document, false, undefined, "");
}

/** That a body does to a draft what it does to a plain document. */
function assertLikePlain(document: Any, body: (document: Any) => unknown): void {
  const plain = structuredClone(document);
  const expected = JSON.stringify(body(plain));
  let result: unknown;
  const after = change(document, (draft) => result = JSON.stringify(body(draft)));
  assertEquals(result, expected);
  assertEquals(after, plain);
}

Deno.test("Draft sees nested writes, deletes and what was added", () => {
  const document = { a: { b: { c: 1 } }, list: [{ n: 1 }, { n: 2 }], gone: 1 };
  const after = change(document, (draft) => {
    draft.a.b.c++;
    draft.a.b.d = { e: [] };
    draft.a.b.d.e.push("x");
    draft.list[1].n = 5;
    delete draft.list[0].n;
    delete draft.gone;
  });
  assertEquals(after, { a: { b: { c: 2, d: { e: ["x"] } } }, list: [{}, { n: 5 }] });
});

Deno.test("Draft is the document itself when nothing was changed", () => {
  const document = { a: { b: 1 }, list: [1, { n: 2 }], zero: 0 };
  const same = change(document, (draft) => {
    void draft.a.b;
    void draft.list.map((item: Any) => item);
    draft.zero = 0;
    const { a, list } = draft;
    draft.a = a;
    list[1] = list.at(1);
    delete draft.absent;
  });
  assertStrictEquals(same, document);
});

Deno.test("Draft shares what was not changed with the document before", () => {
  const document = { a: { deep: {} }, b: { n: 1 } };
  const after = change(document, (draft) => draft.b.n++);
  assertStrictEquals(after.a, document.a);
});

Deno.test("Draft has the methods of arrays", () => {
  const bodies: ((document: { list: Any[] }) => unknown)[] = [
    ({ list }) => list.push({ n: 9 }, { n: 10 }),
    ({ list }) => list.pop(),
    ({ list }) => list.shift(),
    ({ list }) => list.unshift({ n: 0 }),
    ({ list }) => list.splice(1, 1, { n: 7 }, { n: 8 }),
    ({ list }) => list.splice(1),
    ({ list }) => list.splice(0, 0),
    ({ list }) => list.reverse(),
    ({ list }) => list.sort((a, b) => a.n - b.n),
    ({ list }) => list.sort(),
    ({ list }) => list.map(({ n }) => n),
    ({ list }) => list.filter(({ n }) => n > 1),
    ({ list }) => list.find(({ n }) => n === 2),
    ({ list }) => list.slice(1),
    ({ list }) => list.concat([{ n: 4 }]),
    ({ list }) => list.flat(),
    ({ list }) => list.includes(list[1]),
    ({ list }) => list.indexOf(list[2]),
    ({ list }) => [...list.entries()],
    ({ list }) => list.length = Math.min(1, list.length),
    ({ list }) => list.fill(0),
    ({ list }) => list.copyWithin(0, 1),
    ({ list }) => list.at(-1),
    ({ list }) => list.join(),
    ({ list }) => list.toSorted((a, b) => b.n - a.n),
    ({ list }) => list.with(0, { n: 3 }),
    (document) => document.list = document.list.filter(({ n }) => n > 1),
    ({ list }) => Array.isArray(list),
    ({ list }) => 1 in list && !(7 in list) && "push" in list,
    ({ list }) => Object.keys(list),
  ];
  for (const body of bodies) {
    assertLikePlain({ list: [{ n: 3 }, { n: 1 }, { n: 2 }] }, body);
    assertLikePlain({ list: [] }, (document) => {
      try {
        return body(document);
      } catch (error) {
        return (error as Error).name;
      }
    });
  }
});

Deno.test("Draft follows elements that were moved", () => {
  assertLikePlain({ list: [{ n: 3 }, { n: 1 }] }, ({ list }) => {
    const [three] = list;
    list.sort((a: Any, b: Any) => a.n - b.n);
    three.n = 4;
    const one = list.shift();
    one.n = 0;
    list.push(one);
    list.reverse();
    one.n = 7;
    return list;
  });
});

Deno.test("Draft goes on to see an object that a body has put into a scope", () => {
  const item = { n: 1, tags: [] as string[] };
  const after = change({}, (draft) => {
    draft.item = item;
    item.n = 2;
    draft.item.tags.push("x");
    const users = draft.users ??= {};
    users.ada = 1;
    draft.users.grace = 2;
  });
  assertEquals(item, { n: 2, tags: ["x"] });
  assertEquals(after, { item: { n: 2, tags: ["x"] }, users: { ada: 1, grace: 2 } });
  // what its maker does later is not seen
  item.n = 3;
  assertEquals(after.item.n, 2);
});

Deno.test("Draft copies what was put into two places", () => {
  const after = change({ a: { n: 1 } }, (draft) => {
    draft.b = draft.a;
    draft.c = [draft.a, draft.a];
    draft.b.n = 2;
  });
  assertEquals(after, { a: { n: 2 }, b: { n: 2 }, c: [{ n: 2 }, { n: 2 }] });
  assertEquals(new Set([after.a, after.b, ...after.c]).size, 4);
});

Deno.test("Draft takes any name as data", () => {
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", ""];
  let document: Any = {};
  for (let round = 1; round < 3; round++) {
    document = change(document, (draft) => {
      for (const name of names) {
        draft[name] = (draft[name] ?? 0) + 1;
        draft.words = draft.words ?? {};
        draft.words[name] = { count: (draft.words[name]?.count ?? 0) + 1 };
      }
    });
    for (const name of names) {
      assertEquals(Object.getOwnPropertyDescriptor(document, name)?.value, round);
      assertEquals(
        Object.getOwnPropertyDescriptor(document.words, name)?.value,
        { count: round },
      );
    }
    // as another replica reads it
    document = JSON.parse(JSON.stringify(document));
  }
  assertEquals(Object.getPrototypeOf(document), Object.prototype);
  const without = change(document, (draft) => {
    assert("__proto__" in draft);
    delete draft.__proto__;
    assert(!("__proto__" in draft) && !("valueOf" in draft));
    Object.assign(draft, JSON.parse('{"__proto__":{"admin":true}}'));
    assertEquals(draft.admin, undefined);
  });
  assertEquals(Object.getOwnPropertyDescriptor(without, "__proto__")?.value, { admin: true });
  assertEquals(({} as Any).admin, undefined);
});

Deno.test("Draft refuses names in arrays, which JSON would drop", () => {
  for (const name of ["-1", "1.5", "name", "01", "NaN"]) {
    assertThrows(
      () => change({ list: [1] }, (draft) => draft.list[name] = 2),
      TypeError,
      `Cannot set "${name}" of an array: it is no index`,
    );
  }
  const after = change({ list: [1, 2, 3] }, (draft) => {
    draft.list[3] = 4;
    draft.list["0"] = 0;
    draft.list.length = 3;
  });
  assertEquals(after.list, [0, 2, 3]);
});

Deno.test("settleDraft() refuses what is not JSON, and names the place", () => {
  class Point {
    toJSON() {
      return 1;
    }
  }
  const cycle: Any = { a: [] };
  cycle.a.push(cycle);
  const cases: [(draft: Any) => void, string][] = [
    [(draft) => draft.price = NaN, ".price (NaN)"],
    [(draft) => draft.list[1] = Infinity, ".list[1] (Infinity)"],
    [(draft) => draft.list.push({ a: { when: new Date() } }), ".list[2].a.when (a Date)"],
    [(draft) => draft.deep.map = new Map(), ".deep.map (a Map)"],
    [(draft) => draft.f = () => {}, ".f (function)"],
    [(draft) => draft.f = { g: Symbol("x") }, ".f.g (symbol)"],
    [(draft) => draft.big = 1n, ".big (bigint)"],
    [(draft) => draft.list[5] = 1, ".list[2] (undefined)"],
    [(draft) => draft.list[0] = undefined, ".list[0] (undefined)"],
    [(draft) => draft.promise = Promise.resolve(1), ".promise (a Promise)"],
    [(draft) => draft.point = [new Point()], ".point[0] (a Point)"],
    [(draft) => draft.error = new Error("x"), ".error (an Error)"],
    [(draft) => draft.bytes = new Uint8Array(1), ".bytes (an Uint8Array)"],
    [(draft) => draft.cycle = cycle, ".cycle.a[0] (a part of itself)"],
    [(draft) => draft.self = draft, ".self.self (a part of itself)"],
  ];
  for (const [body, place] of cases) {
    assertThrows(
      () => change({ list: [1, 2], deep: {} }, body),
      TypeError,
      `${place} is not JSON`,
    );
  }
});

Deno.test("settleDraft() leaves out members that are undefined, as JSON does", () => {
  const after = change({ a: 1, b: { c: 1 } }, (draft) => {
    draft.a = undefined;
    draft.b = { c: undefined, d: -0 };
    draft.zero = -0;
  });
  assertEquals(Object.keys(after), ["b", "zero"]);
  assertEquals(Object.keys(after.b), ["d"]);
  assert(Object.is(after.b.d, 0) && Object.is(after.zero, 0));
});

Deno.test("settleDraft() refuses documents that are too deep", () => {
  const deep: Any = {};
  let at = deep;
  for (let i = 0; i < 1_000_000; i++) at = at.in = {};
  assertThrows(() => change({}, (draft) => draft.deep = deep), TypeError, "nested too deeply");
});

Deno.test("Draft refuses getters, prototypes, freezing and symbols", () => {
  const bodies: ((draft: Any) => void)[] = [
    (draft) => Object.defineProperty(draft, "x", { get: () => 1 }),
    (draft) => Object.setPrototypeOf(draft, {}),
    (draft) => Object.freeze(draft.list),
    (draft) => draft[Symbol.iterator] = 1,
  ];
  for (const body of bodies) assertThrows(() => change({ list: [] }, body), TypeError, "scope");
  const after = change({}, (draft) => Object.defineProperty(draft, "x", { value: 1 }));
  assertEquals(after, { x: 1 });
});

Deno.test("Draft can be listed, encoded, spread and shown", () => {
  change({ a: 1, list: [{ n: 1 }] }, (draft) => {
    draft.list.push({ n: 2 });
    assertEquals(Object.entries({ ...draft }).length, 2);
    assertEquals(JSON.stringify(draft), '{"a":1,"list":[{"n":1},{"n":2}]}');
    assertEquals(Deno.inspect(draft), "{ a: 1, list: [ { n: 1 }, { n: 2 } ] }");
    assertEquals(Deno.inspect(draft.list), "[ { n: 1 }, { n: 2 } ]");
    assertStrictEquals(draft.list, draft.list);
    assertEquals(Object.getPrototypeOf(draft.list), Array.prototype);
  });
});

Deno.test("Draft asks its owner before each use", () => {
  let isOver = false;
  const draft = draftFor({ list: [1], o: {} }, () => {
    if (isOver) throw new RangeError("over");
  }).proxy as Any;
  const { list, o } = draft;
  const push = list.push.bind(list);
  isOver = true;
  const uses = [
    () => draft.list,
    () => draft.x = 1,
    () => delete draft.o,
    () => Object.keys(o),
    () => "x" in o,
    () => list[0],
    () => list.push(1),
    () => push(1),
    () => [...list],
    () => JSON.stringify(o),
    () => Object.getOwnPropertyDescriptor(list, "0"),
  ];
  for (const use of uses) assertThrows(use, RangeError, "over");
});

Deno.test("copyDraft() shares nothing", () => {
  const document = { a: { b: 1 } };
  const copy = copyDraft(draftFor(document)) as Any;
  assertEquals(copy, document);
  assert(copy.a !== document.a);
});

Deno.test("withoutDrafts() replaces drafts by copies, and leaves all else as it is", () => {
  const draft = draftFor({ a: { b: 1 }, list: [1] }).proxy as Any;
  const when = new Date(0);
  const map = new Map();
  const plain = { when, map, f: () => 1 };
  assertStrictEquals(withoutDrafts(plain), plain);
  assertStrictEquals(withoutDrafts(undefined), undefined);
  const result = withoutDrafts({ a: draft.a, deep: [{ list: draft.list }], when }) as Any;
  assertEquals(result, { a: { b: 1 }, deep: [{ list: [1] }], when });
  assertEquals([draftOf(result.a), draftOf(result.deep[0].list)], [undefined, undefined]);
  const cycle: Any = { draft: draft.a };
  cycle.self = cycle;
  assertEquals((withoutDrafts(cycle) as Any).draft, { b: 1 });
});

Deno.test("withoutDrafts() and copyDraft() see what was changed deep inside", () => {
  const draft = draftFor({ list: ["a"], deep: { er: [{ n: 1 }] }, same: { n: 0 } });
  const body = draft.proxy as Any;
  body.list.push("b");
  body.deep.er[0].n++;
  const expected = { list: ["a", "b"], deep: { er: [{ n: 2 }] }, same: { n: 0 } };
  assertEquals(withoutDrafts(body), expected);
  assertEquals(withoutDrafts({ all: body, part: body.deep }), {
    all: expected,
    part: expected.deep,
  });
  assertEquals(copyDraft(draft), expected as Any);
});

Deno.test("Draft moves what was changed before, and after", () => {
  assertLikePlain({ a: { list: [1], x: { n: 1 } } }, (document) => {
    document.a.list.push(2);
    document.b = document.a;
    document.c = { inside: [document.a.x] };
    document.a.x.n++;
    document.b.list.push(3);
    delete document.a;
    return document;
  });
});

/** One step of a body: where it goes, by numbers, and what it does there. */
type Step = readonly [path: readonly number[], what: number, other: readonly number[]];

/** The object or array at the end of a path, as far as it leads to one. */
function at(document: Any, path: readonly number[]): Any {
  let here = document;
  for (const number of path) {
    const keys = Object.keys(here);
    const next = keys.length > 0 ? here[keys[number % keys.length]!] : undefined;
    if (typeof next !== "object" || next === null) break;
    here = next;
  }
  return here;
}

function take(document: Any, [path, what, other]: Step): void {
  const here = at(document, path);
  const from = at(document, other);
  const keys = Object.keys(here);
  const key = Array.isArray(here) ? keys.length : `k${what % 3}`;
  if (what % 5 === 0) here[key] = what;
  else if (what % 5 === 1) here[key] = { n: [what] };
  else if (what % 5 === 2 && Array.isArray(here)) here.pop();
  else if (what % 5 === 2) delete here[keys.at(-1) ?? ""];
  else if (what % 5 === 3) here[key] = JSON.parse(JSON.stringify(from));
  else here[key] = { from };
}

Deno.test("Draft comes to what a plain document comes to, whatever a body does", () => {
  const numbers = fc.array(fc.nat(5), { maxLength: 4 });
  const steps = fc.array(fc.tuple(numbers, fc.nat(20), numbers), { maxLength: 12 });
  const document = { a: { b: [1, { c: 2 }] }, d: [[], {}], e: { f: { g: "h" } } };
  fc.assert(fc.property(steps, (steps: Step[]) => {
    const plain = structuredClone(document) as Any;
    try {
      for (const step of steps) take(plain, step);
      JSON.stringify(plain);
    } catch {
      // it has become a part of itself
      return;
    }
    const draft = draftFor(document);
    for (const step of steps) take(draft.proxy, step);
    const seen = JSON.stringify(draft.proxy);
    const result = withoutDrafts(draft.proxy);
    assertEquals(seen, JSON.stringify(plain));
    assertEquals(JSON.stringify(result), seen);
    assertEquals(JSON.stringify(copyDraft(draft)), seen);
    assertEquals(JSON.parse(JSON.stringify(settleDraft(draft))), JSON.parse(seen));
  }));
});
