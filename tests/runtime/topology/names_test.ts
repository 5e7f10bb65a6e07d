import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MpError } from "../../../runtime/errors.ts";
import {
  checkReplicas,
  checkServiceName,
  INGRESS,
  isDnsLabel,
} from "../../../runtime/topology/names.ts";

Deno.test("isDnsLabel() takes what RFC 1123 takes, in lower case", () => {
  for (const name of ["a", "7", "a-b", "a--b", "0a", "histogram-service", "x".repeat(63)]) {
    assert(isDnsLabel(name), name);
  }
  const bad = ["", "-", "a-", "-a", "A", "a.b", "a_b", "a b", "é", "a\n", "x".repeat(64), "a/b"];
  for (const name of bad) assertFalse(isDnsLabel(name), JSON.stringify(name));
});

Deno.test("isDnsLabel() agrees with the rule spelled out", () => {
  const letters = [..."abcxyz0129-"];
  const name = fc.oneof(
    fc.array(fc.constantFrom(...letters, "A", ".", "_"), { maxLength: 70 }).map((a) => a.join("")),
    fc.array(fc.constantFrom(...letters), { minLength: 60, maxLength: 66 }).map((a) => a.join("")),
  );
  fc.assert(fc.property(name, (name) => {
    const rule = name.length >= 1 && name.length <= 63 && !name.startsWith("-") &&
      !name.endsWith("-") && [...name].every((c) => letters.includes(c));
    assertEquals(isDnsLabel(name), rule);
  }));
});

Deno.test("checkServiceName() names what is wrong and what to do", () => {
  checkServiceName("histogram-service");
  checkServiceName("constructor");
  const bad = assertThrows(() => checkServiceName("My Service"), MpError);
  assertEquals(bad.code, "topology_invalid");
  assertEquals(bad.message, 'Cannot make service "My Service": the name is not a DNS label');
  assert(bad.next);
  const reserved = assertThrows(() => checkServiceName(INGRESS), MpError, "reserved");
  assertEquals(reserved.code, "topology_invalid");
  for (const name of [undefined, null, 7, {}]) {
    assertThrows(() => checkServiceName(name as unknown as string), TypeError, "not a string");
  }
});

Deno.test("checkReplicas() takes whole numbers from 1 to 10,000", () => {
  for (const replicas of [1, 2, 10_000]) checkReplicas(replicas, "x");
  for (const replicas of [0, -1, 2.5, NaN, Infinity, 10_001]) {
    assertThrows(() => checkReplicas(replicas, "mp.x()"), RangeError, `mp.x(): ${replicas} is not`);
  }
  for (const replicas of ["3", null, undefined, [3]]) {
    assertThrows(() => checkReplicas(replicas as unknown as number, "x"), TypeError);
  }
});
