import { assert, assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { identify } from "../../../runtime/replica/identity.ts";

const env = {
  MP_APP: "shop",
  MP_REPLICA: "svc.compute.scatter.11",
  MP_REVISION: "r1",
  MP_BUNDLE: "/f/bundle.js",
  MP_SOURCE_MAP: "/f/bundle.map",
  MP_SCRIPT: "/home/me/topology.ts",
  MP_BOOK: "/f/book.json",
  MP_SECRET_FILE: "/f/secret",
};

Deno.test("identify() reads who a replica is and where it finds what it needs", () => {
  assertEquals(identify({ ...env, OTHER: "x" }), {
    app: "shop",
    path: "svc.compute.scatter",
    index: 11,
    name: "svc.compute.scatter.11",
    revision: "r1",
    bundle: "/f/bundle.js",
    sourceMap: "/f/bundle.map",
    script: "/home/me/topology.ts",
    book: "/f/book.json",
    secretFile: "/f/secret",
    supervisor: undefined,
    parent: undefined,
  });
  const supervised = identify({ ...env, MP_SUPERVISOR: "unix:/s", MP_PARENT_PID: "12" });
  assertEquals([supervised.supervisor, supervised.parent], ["unix:/s", 12]);
  const handler = identify({ ...env, MP_REPLICA: "svc.0" });
  assertEquals([handler.path, handler.index], ["svc", 0]);
});

Deno.test("identify() names the variable that is missing", () => {
  for (const name of Object.keys(env)) {
    for (const value of [undefined, ""]) {
      const error = assertThrows(() => identify({ ...env, [name]: value }), MpError);
      assertEquals(error.code, "launch_failed");
      assertEquals(error.message, `Cannot start a replica: ${name} is not set`);
      assert(error.next);
    }
  }
});

Deno.test("identify() names the variable that is wrong", () => {
  const wrong: [string, string][] = [
    ["MP_REPLICA", "svc"],
    ["MP_REPLICA", "svc.x"],
    ["MP_REPLICA", ".3"],
    ["MP_REPLICA", "svc.-1"],
    ["MP_PARENT_PID", "x"],
    ["MP_PARENT_PID", "-1"],
    ["MP_PARENT_PID", ""],
  ];
  for (const [name, value] of wrong) {
    const error = assertThrows(() => identify({ ...env, [name]: value }), MpError);
    assertEquals(error.message, `Cannot start a replica: ${name} is ${JSON.stringify(value)}`);
  }
});
