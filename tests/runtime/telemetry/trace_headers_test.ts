import { assertEquals } from "@std/assert";
import { readTraceHeaders, traceIdOf } from "../../../runtime/telemetry/trace_headers.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const traceparent = `00-${TRACE}-${SPAN}-01`;

Deno.test("readTraceHeaders() takes what W3C Trace Context allows", () => {
  assertEquals(readTraceHeaders(traceparent, undefined), { traceparent });
  const tracestate = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
  assertEquals(readTraceHeaders(traceparent, tracestate), { traceparent, tracestate });
  // a later version may add something
  for (const later of [`cc-${TRACE}-${SPAN}-01`, `cc-${TRACE}-${SPAN}-01-what-will-be`]) {
    assertEquals(readTraceHeaders(later, undefined), { traceparent: later });
  }
});

Deno.test("readTraceHeaders() takes nothing else, whatever it is", () => {
  const wrong = [
    undefined,
    "",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01.`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    ` ${traceparent}`,
    `${traceparent}\n`,
    `${traceparent}, ${traceparent}`,
    `cc-${TRACE}-${SPAN}-01-${"x".repeat(300)}`,
  ];
  for (const text of wrong) assertEquals(readTraceHeaders(text, "a=b"), undefined, text);
});

Deno.test("readTraceHeaders() drops a state that is none, alone", () => {
  for (const state of ["", "a=\tb", "ä=b", "a=b\n", "x".repeat(513)]) {
    assertEquals(readTraceHeaders(traceparent, state), { traceparent });
  }
});

Deno.test("traceIdOf() gives the id that all spans of a trace have", () => {
  assertEquals(traceIdOf({ traceparent }), TRACE);
});
