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
    book: { file: "/f/book.json" },
    secret: { file: "/f/secret" },
    supervisor: undefined,
    parent: undefined,
    listenHost: undefined,
    grace: 10_000,
    linger: 0,
  });
  const supervised = identify({ ...env, MP_SUPERVISOR: "unix:/s", MP_PARENT_PID: "12" });
  assertEquals([supervised.supervisor, supervised.parent], ["unix:/s", 12]);
  const handler = identify({ ...env, MP_REPLICA: "svc.0" });
  assertEquals([handler.path, handler.index], ["svc", 0]);
});

Deno.test("identify() takes the index of a pod from MP_INDEX, its name or the host's", () => {
  const { MP_REPLICA: _, ...shared } = { ...env, MP_PATH: "svc.scatter" };
  const named = (more: Record<string, string>, host = "node") => {
    const { path, index, name } = identify({ ...shared, ...more }, () => host);
    return [path, index, name];
  };
  assertEquals(named({ MP_INDEX: "4" }, "x-9"), ["svc.scatter", 4, "svc.scatter.4"]);
  assertEquals(named({ MP_POD_NAME: "shop-scatter-12" }), ["svc.scatter", 12, "svc.scatter.12"]);
  assertEquals(named({}, "shop-1-scatter-0"), ["svc.scatter", 0, "svc.scatter.0"]);
  assertEquals(named({ MP_REPLICA: "other.1", MP_INDEX: "4" }), ["other", 1, "other.1"]);
});

Deno.test("identify() takes book and secret themselves in place of files", () => {
  const { MP_BOOK: _, MP_SECRET_FILE: __, ...shared } = env;
  const { book, secret } = identify({ ...shared, MP_BOOK_JSON: "{}", MP_SECRET: "s" });
  assertEquals([book, secret], [{ text: "{}" }, { text: "s" }]);
});

Deno.test("identify() reads where to listen and how long to drain", () => {
  const { listenHost, grace } = identify({ ...env, MP_LISTEN_HOST: "0.0.0.0", MP_GRACE: "2500" });
  assertEquals([listenHost, grace], ["0.0.0.0", 2500]);
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
    ["MP_GRACE", "10s"],
  ];
  for (const [name, value] of wrong) {
    const error = assertThrows(() => identify({ ...env, [name]: value }), MpError);
    assertEquals(error.message, `Cannot start a replica: ${name} is ${JSON.stringify(value)}`);
  }
});

Deno.test("identify() names what should hold the index of a pod", () => {
  const { MP_REPLICA: _, ...shared } = { ...env, MP_PATH: "svc" };
  const cases: [Record<string, string>, string, string][] = [
    [{ MP_INDEX: "x" }, "MP_INDEX", "x"],
    [{ MP_POD_NAME: "shop" }, "MP_POD_NAME", "shop"],
    [{}, "MP_INDEX", ""],
  ];
  for (const [more, name, value] of cases) {
    const error = assertThrows(() => identify({ ...shared, ...more }, () => "host"), MpError);
    assertEquals(error.message, `Cannot start a replica: ${name} is ${JSON.stringify(value)}`);
  }
});
