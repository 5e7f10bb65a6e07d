import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { Context } from "../../../runtime/topology/context.ts";
import type { Topology } from "../../../runtime/topology/topology.ts";
import { boundApi } from "./bound_api.ts";

const handler = () => 1;

Deno.test("scriptApi() binds every evaluation to a topology of its own", () => {
  const [one, other] = [boundApi(), boundApi()];
  one.mp.service("a", handler);
  other.mp.service("a", handler);
  one.mp.app("shop");
  assertEquals([one.topology.services.size, other.topology.services.size], [1, 1]);
  assertEquals([one.topology.app, other.topology.app], ["shop", undefined]);
});

Deno.test("ScriptApi.app() takes a DNS label", () => {
  const { mp, topology } = boundApi();
  mp.app("shop-2");
  assertEquals(topology.app, "shop-2");
  for (const name of ["", "My Shop", undefined, 7]) {
    const error = assertThrows(() => mp.app(name as string), MpError, "not a DNS label");
    assertEquals(error.code, "topology_invalid");
    assert(error.next);
  }
  assertEquals(topology.app, "shop-2");
});

Deno.test("ScriptApi.serve() ends the script and tells the host", () => {
  const served: Topology[] = [];
  const { mp, topology } = boundApi({ serve: (of) => served.push(of) });
  mp.service("a", handler);
  mp.serve();
  assertStrictEquals(served[0], topology);
  assertThrows(() => mp.service("b", handler), MpError, "mp.serve() was called before");
});

Deno.test("ScriptApi.print() tells the host", () => {
  const printed: Topology[] = [];
  const { mp, topology } = boundApi({ print: (of) => printed.push(of) });
  mp.print();
  assertStrictEquals(printed[0], topology);
});

Deno.test("ScriptApi.current() is the host's, and an error where no call is answered", () => {
  const context = { service: "a" } as Context;
  let current: Context | undefined = undefined;
  const { mp } = boundApi({ current: () => current });
  const error = assertThrows(() => mp.current(), MpError, "no call is being answered here");
  assert(error.next);
  current = context;
  assertStrictEquals(mp.current(), context);
});

Deno.test("ScriptApi.service() works when it is taken out of the API", () => {
  const { mp: { service, app, serve }, topology } = boundApi();
  service("a", handler);
  app("shop");
  serve();
  assertEquals([...topology.services.keys()], ["a"]);
});
