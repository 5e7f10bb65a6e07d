import { assert, assertEquals } from "@std/assert";
import { type Baton, decodeBaton, encodeBaton, restsOn } from "../../../runtime/transact/baton.ts";

const baton: Baton = {
  scope: 's:a "b"\n',
  version: "a-session.2",
  text: '{"n":"\\t\\n"}',
  rests: ["b-session.1"],
};

Deno.test("decodeBaton() reads what encodeBaton() wrote, on one line", () => {
  for (const one of [baton, { ...baton, text: null, rests: [] }]) {
    const line = encodeBaton(one);
    assert(!/[\n\t]/.test(line), line);
    assertEquals(decodeBaton(line), one);
  }
});

Deno.test("decodeBaton() takes nothing else", () => {
  for (const line of ["", "{", "1", "null", "{}", "[]", '["s","v",1,[]]', '["s","v","t",[1]]']) {
    assertEquals(decodeBaton(line), undefined, line);
  }
});

Deno.test("restsOn() knows the commits before, and its own", () => {
  assert(restsOn(baton, "a-session.2"));
  assert(restsOn(baton, "b-session.1"));
  assert(!restsOn(baton, "b-session.2"));
});
