import { assert, assertEquals } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { FaultReason } from "../../../runtime/storage/storage.ts";
import {
  isFault,
  mayHaveCommitted,
  passesByItself,
  storageFault,
} from "../../../runtime/storage/storage_fault.ts";

const REASONS: readonly FaultReason[] = [
  "reply_lost",
  "unreachable",
  "busy",
  "refused",
  "full",
  "damaged",
  "closed",
];

Deno.test("mayHaveCommitted() holds only after a lost reply", () => {
  const faults = REASONS.map((reason) => storageFault(reason, "Cannot commit"));
  assertEquals(faults.filter(mayHaveCommitted).map(({ reason }) => reason), ["reply_lost"]);
  assert(faults.every((fault) => fault.retryable && isFault(fault)));
});

Deno.test("passesByItself() holds where nobody has to act", () => {
  const passing = REASONS.filter((reason) => passesByItself(storageFault(reason, "Cannot commit")));
  assertEquals(passing, ["reply_lost", "unreachable", "busy"]);
});

Deno.test("isFault() is not taken in by other errors", () => {
  const other = new MpError("unsupported", "Cannot commit", { reason: "reply_lost" });
  for (const error of [other, new Error("x"), undefined, { code: "storage_unavailable" }]) {
    assert(!isFault(error) && !mayHaveCommitted(error) && !passesByItself(error));
  }
});
