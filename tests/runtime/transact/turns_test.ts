import { assertEquals } from "@std/assert";
import { type Turn, Turns } from "../../../runtime/transact/turns.ts";

/** Turns, with a log of who has started. */
function logged() {
  const turns = new Turns();
  const log: string[] = [];
  const held = new Map<string, Turn>();
  return {
    turns,
    log,
    ask(name: string, scopes: string, isReserved = false) {
      turns.wait([...scopes], isReserved, (turn) => {
        held.set(name, turn);
        log.push(name);
      });
    },
    end: (name: string) => turns.release(held.get(name)!),
  };
}

Deno.test("Turns.wait() starts at once where scopes are free", () => {
  const { turns, log, ask, end } = logged();
  ask("a", "xy");
  ask("b", "z");
  assertEquals(log, ["a", "b"]);
  assertEquals(["x", "z", "q"].map((scope) => turns.areFree([scope])), [false, false, true]);
  end("a");
  end("b");
  assertEquals(turns.areFree("xyz"), true);
});

Deno.test("Turns.wait() starts in the order of asking, on each scope", () => {
  const { log, ask, end } = logged();
  ask("a", "x");
  ask("b", "xy");
  ask("c", "y");
  ask("d", "x");
  assertEquals(log, ["a"]);
  end("a");
  assertEquals(log, ["a", "b"]);
  end("b");
  assertEquals(log.slice(2).toSorted(), ["c", "d"]);
});

Deno.test("Turns.wait() never lets two wait for each other", () => {
  const { log, ask, end } = logged();
  ask("a", "x");
  ask("b", "y");
  ask("c", "xy");
  ask("d", "yx");
  end("b");
  end("a");
  end("c");
  assertEquals(log, ["a", "b", "c", "d"]);
});

Deno.test("Turns.areReserved() tells of turns that shut out, but for one's own", () => {
  const { turns, log, ask, end } = logged();
  let own: Turn | undefined;
  ask("a", "x");
  assertEquals(turns.areReserved("x", undefined), false);
  turns.wait("xy", true, (turn) => own = turn);
  assertEquals(turns.areReserved("xy", undefined), false, "it only waits yet");
  end("a");
  assertEquals(turns.areReserved("y", undefined), true);
  assertEquals(turns.areReserved("y", own), false);
  assertEquals(turns.areReserved("z", undefined), false);
  turns.release(own!);
  assertEquals([turns.areReserved("xy", undefined), log], [false, ["a"]]);
});
