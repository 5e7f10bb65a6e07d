import { checkExpose } from "../../../runtime/topology/check_options.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { AnyTarget, TargetOptions } from "../../../runtime/topology/target.ts";
import { checkTarget, isPattern, Topology } from "../../../runtime/topology/topology.ts";
import { scatter } from "../../../patterns/scatter.ts";
import { spread } from "../../../patterns/spread.ts";

const handler = () => 1;
const pattern = scatter(2, handler, (parts) => parts.length);

Deno.test("Topology.add() keeps services in the order of the script", () => {
  const topology = new Topology();
  const b = topology.add("b", handler, {});
  topology.add("a", pattern, { timeout: 5 });
  assertEquals([...topology.services.keys()], ["b", "a"]);
  assertStrictEquals(topology.services.get("b"), b);
});

Deno.test("Topology.add() refuses a bad or clashing name, and what comes after the end", () => {
  const topology = new Topology();
  topology.add("a", handler, {});
  const clash = assertThrows(() => topology.add("a", handler, {}), MpError, "the name is taken");
  assertEquals(clash.code, "topology_invalid");
  assertThrows(() => topology.add("A", handler, {}), MpError, "not a DNS label");
  topology.end();
  const late = assertThrows(() => topology.add("b", handler, {}), MpError, "mp.serve()");
  assertEquals(late.code, "topology_invalid");
  assertEquals([...topology.services.keys()], ["a"]);
});

Deno.test("Topology.add() refuses a target that is neither a function nor a pattern", () => {
  const targets: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [7, "number"],
    ["handler", "string"],
    [{}, "object"],
    [Promise.resolve(handler), "object"],
  ];
  for (const [target, kind] of targets) {
    assertThrows(
      () => new Topology().add("a", target as typeof handler, {}),
      TypeError,
      `Cannot make service "a": the target is ${kind}, not a function or a pattern`,
    );
  }
});

Deno.test("Topology.add() refuses bad options", () => {
  const cases: [unknown, new (message: string) => Error, string][] = [
    [null, TypeError, "options are null"],
    [5, TypeError, "options are 5"],
    [{ replicas: 0 }, RangeError, "0 is not a whole number"],
    [{ replicas: "2" }, TypeError, "not a number"],
    [{ timeout: 0 }, RangeError, "timeout 0"],
    [{ timeout: -5 }, RangeError, "timeout -5"],
    [{ timeout: NaN }, RangeError, "timeout NaN"],
    [{ timeout: Infinity }, RangeError, "timeout Infinity"],
    [{ timeout: 86_400_001 }, RangeError, "timeout 86400001"],
    [{ timeout: "5" }, TypeError, "timeout is string"],
    [{ expose: "yes" }, TypeError, "give true, false or { port }"],
    [{ expose: null }, TypeError, "give true, false or { port }"],
    [{ expose: {} }, TypeError, "give true, false or { port }"],
    [{ expose: { port: "80" } }, TypeError, "give true, false or { port }"],
    [{ expose: { port: 0 } }, RangeError, "port 0"],
    [{ expose: { port: 65_536 } }, RangeError, "port 65536"],
    [{ expose: { port: 80.5 } }, RangeError, "port 80.5"],
    [{ scopes: "a" }, TypeError, "scopes is not an array of names"],
    [{ scopes: [1] }, TypeError, "scopes is not an array of names"],
    [{ scopes: ["a".repeat(513)] }, RangeError, "it has 513 bytes, more than 512"],
    [{ env: { A: 1 } }, TypeError, "env A is number"],
    [{ env: "A=B" }, TypeError, "give env as"],
    [{ env: null }, TypeError, "give env as"],
    [{ env: { "A=B": "c" } }, TypeError, 'env "A=B" is not the name of a variable'],
    [{ env: { "": "c" } }, TypeError, 'env "" is not the name of a variable'],
    [{ env: { A: "b\0c" } }, TypeError, "env A holds a zero byte"],
    [{ resources: { memory: "256Mi" } }, TypeError, "give resources as { cpu: 0.5, memory: 256 }"],
    [{ resources: { gpu: 1 } }, TypeError, "give resources as"],
    [{ resources: 2 }, TypeError, "give resources as"],
    [{ resources: { cpu: 0 } }, RangeError, "cpu 0 is not a number above 0"],
    [{ resources: { memory: NaN } }, RangeError, "memory NaN"],
    [{ resources: { memory: Infinity } }, RangeError, "memory Infinity"],
    [{ timout: 5 }, TypeError, 'there is no option "timout" beside expose, replicas, timeout'],
    [{ idempotent: "yes" }, TypeError, "idempotent is string"],
    [{ retries: 11 }, RangeError, "retries 11 is not a whole number from 0 to 10"],
    [{ retries: 0.5 }, RangeError, "retries 0.5"],
    [{ maxConcurrent: Infinity }, RangeError, "maxConcurrent Infinity"],
    [{ maxQueued: -1 }, RangeError, "maxQueued -1"],
    [{ hedge: { after: NaN } }, RangeError, "hedge after NaN"],
    [{ hedge: {} }, TypeError, "give hedge as"],
  ];
  for (const [options, kind, message] of cases) {
    const topology = new Topology();
    assertThrows(() => topology.add("a", handler, options as TargetOptions), kind, message);
    assertEquals(topology.services.size, 0);
  }
  const calls = { idempotent: true, retries: 0, maxConcurrent: 1, maxQueued: 0 };
  for (const options of [calls, { timeout: 0.5, expose: { port: 1 } }, { timeout: 86_400_000 }]) {
    new Topology().add("a", handler, options);
  }
});

Deno.test("Topology.add() refuses to hedge what must not be called twice, or has one replica", () => {
  const hedge = { after: 5 };
  const spreading = (options: TargetOptions = {}) =>
    spread({ replicas: 2, target: handler, ...options });
  const cases: [AnyTarget, TargetOptions, string][] = [
    [handler, { hedge, replicas: 3 }, "it is not idempotent"],
    [handler, { hedge, idempotent: true }, "there is one replica to call"],
    [pattern, { hedge, idempotent: true }, "there is one replica to call"],
    [spreading({ hedge }), {}, "it is not idempotent"],
    [spreading({ hedge, idempotent: false }), { idempotent: true }, "it is not idempotent"],
    [spreading({ idempotent: false }), { idempotent: true, hedge, replicas: 2 }, "not idempotent"],
    [scatter(2, spreading({ hedge }), (parts) => parts), {}, "it is not idempotent"],
  ];
  for (const [target, options, why] of cases) {
    const error = assertThrows(() => new Topology().add("a", target, options), MpError, why);
    assertEquals(error.code, "topology_invalid");
    assert(error.message.startsWith('Cannot hedge service "a": ') && error.next !== undefined);
  }
  const allowed: [AnyTarget, TargetOptions][] = [
    [handler, { hedge, replicas: 3, idempotent: true }],
    [pattern, { hedge, replicas: 2, idempotent: true }],
    [spreading({ hedge, idempotent: true }), {}],
    [spreading({ hedge }), { idempotent: true }],
    [scatter({ replicas: 2, leaf: spreading({ hedge }), gather: (p) => p, idempotent: true }), {}],
  ];
  for (const [target, options] of allowed) new Topology().add("a", target, options);
});

Deno.test("checkExpose() takes true, false, a port, and nothing", () => {
  for (const expose of [undefined, true, false, { port: 1 }, { port: 65_535 }]) {
    checkExpose("x", expose);
  }
});

Deno.test("isPattern() and checkTarget() tell handlers from patterns", () => {
  assertEquals([isPattern(handler), isPattern(pattern)], [false, true]);
  checkTarget("x", handler);
  checkTarget("x", pattern);
  assertThrows(() => checkTarget("x", {}, "leaf"), TypeError, "leaf is object");
});
