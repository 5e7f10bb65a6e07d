import { assertEquals, assertThrows } from "@std/assert";
import { render } from "../../../drivers/process/manifest.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import { plan, renderOptions } from "./fixtures.ts";

const nested = plan({
  nodes: [
    { path: "svc.gather", needs: ["svc.scatter"], env: { LEVEL: "script", ONLY: "gather" } },
    { path: "svc.scatter", replicas: 2, width: 2, health: { stallLimit: 5_000 } },
  ],
  doors: [{ port: null, node: "svc.gather" }],
});

const book: AddressBook = {
  revision: "r1",
  generation: 1,
  folder: "/tmp/t",
  replicas: [
    { path: "svc.gather", index: 0, peer: "unix:/tmp/t/0.p", http: "unix:/tmp/t/0.h" },
    { path: "svc.scatter", index: 0, peer: "unix:/tmp/t/1.p", http: "unix:/tmp/t/1.h" },
    { path: "svc.scatter", index: 1, peer: "unix:/tmp/t/2.p", http: "unix:/tmp/t/2.h" },
  ],
  doors: [{ node: "svc.gather", address: "tcp:127.0.0.1:3000" }],
};

const command = { command: "/bin/deno", args: ["run", "replica.js"] };
const options = renderOptions({
  command,
  cwd: "/home/me",
  env: { LEVEL: "flag", CORPUS: "./docs" },
});

Deno.test("render() gives every replica its command, environment and folder", () => {
  const manifest = render(nested, book, options);
  assertEquals({ ...manifest, replicas: [] }, {
    app: "shop",
    book,
    folder: "/tmp/t",
    bookFile: "/tmp/t/book.json",
    secretFile: "/tmp/t/secret",
    supervisor: "unix:/tmp/t/s",
    replicas: [],
  });
  assertEquals(manifest.replicas[0], {
    path: "svc.gather",
    index: 0,
    name: "svc.gather.0",
    command: "/bin/deno",
    args: ["run", "replica.js"],
    env: {
      LEVEL: "flag",
      ONLY: "gather",
      CORPUS: "./docs",
      MP_ROLE: "replica",
      MP_APP: "shop",
      MP_REPLICA: "svc.gather.0",
      MP_LOG_MARKS: "1",
      MP_REVISION: "r1",
      MP_BUNDLE: "/bundle.js",
      MP_SOURCE_MAP: "/bundle.js.map",
      MP_SCRIPT: "/shop/topology.ts",
      MP_BOOK: "/tmp/t/book.json",
      MP_SECRET_FILE: "/tmp/t/secret",
      MP_SUPERVISOR: "unix:/tmp/t/s",
    },
    cwd: "/home/me",
    sockets: ["unix:/tmp/t/0.p", "unix:/tmp/t/0.h"],
    doors: ["tcp:127.0.0.1:3000"],
    callers: "all",
    stallLimit: 60_000,
  });
  const [, , second] = manifest.replicas;
  assertEquals(second!.name, "svc.scatter.1");
  assertEquals([second!.callers, second!.doors, second!.stallLimit], [["svc.gather.0"], [], 5_000]);
});

Deno.test("render() inspects replica 0 of a path, and lets it stand at breakpoints", () => {
  const inspecting = { command: "/bin/deno", args: ["run", "--inspect", "replica.js"] };
  const { replicas } = render(nested, book, {
    ...options,
    inspect: { path: "svc.scatter", command: inspecting },
  });
  assertEquals(replicas.map(({ args }) => args.length), [2, 3, 2]);
  assertEquals(replicas.map(({ stallLimit }) => stallLimit), [60_000, Infinity, 5_000]);
  const error = assertThrows(
    () => render(nested, book, { ...options, inspect: { path: "svc", command } }),
    MpError,
  );
  assertEquals(error.code, "usage");
  assertEquals(error.next, "Use one of svc.gather, svc.scatter");
});

Deno.test("render() leaves the supervisor's port open where there are no Unix sockets", () => {
  const replicas = book.replicas.map((replica, i) => ({
    ...replica,
    peer: `tcp:127.0.0.1:${4000 + i}` as const,
    http: `tcp:127.0.0.1:${5000 + i}` as const,
  }));
  assertEquals(render(nested, { ...book, replicas }, options).supervisor, "tcp:127.0.0.1:0");
});

Deno.test("render() refuses parts that are no bundle", () => {
  const image = plan({ nodes: [{ path: "db", run: { kind: "image", image: "postgres" } }] });
  const { replicas: [replica] } = book;
  const error = assertThrows(
    () => render(image, { ...book, replicas: [{ ...replica!, path: "db" }], doors: [] }, options),
    MpError,
  );
  assertEquals(error.code, "unsupported");
});
