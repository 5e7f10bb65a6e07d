import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { basicAuthOf, type BasicAuthOptions } from "../../../runtime/auth/basic_auth.ts";
import { guardOf } from "../../../runtime/auth/guard.ts";
import { MpError } from "../../../runtime/errors.ts";
import { basic } from "./headers.ts";

const handler = () => 1;
const nowhere = basicAuthOf({ folder: "/nowhere", env: {}, eager: true });

/** Who is told to call, by a header. */
function identify(options: BasicAuthOptions, faults: unknown[] = []) {
  const known = guardOf(nowhere(handler, options))!.open();
  return async (pair: string) => await known(basic(pair), (error) => faults.push(error));
}

Deno.test("mp.basicAuth() knows users from an object or a map", async () => {
  const passwords = { ada: "one", "Éva Ö": "zwö: three", __proto: "x" };
  for (const users of [passwords, new Map(Object.entries(passwords))]) {
    const who = identify({ users });
    assertEquals(await who("ada:one"), "ada");
    assertEquals(await who("Éva Ö:zwö: three"), "Éva Ö");
    for (const pair of ["ada:", "ada:two", "ada:one ", "eve:one", "toString:one", "ada"]) {
      assertEquals(await who(pair), undefined, pair);
    }
  }
});

Deno.test("mp.basicAuth() takes names such as __proto__ from an object as they are", async () => {
  const who = identify({ users: JSON.parse('{"__proto__":"one","constructor":"two"}') });
  assertEquals(await who("__proto__:one"), "__proto__");
  assertEquals(await who("constructor:two"), "constructor");
  assertEquals(await who("hasOwnProperty:one"), undefined);
});

Deno.test("mp.basicAuth() asks a function, and takes true alone for yes", async () => {
  const asked: string[][] = [];
  const faults: unknown[] = [];
  const gives = new Map<string, unknown>([
    ["yes", true],
    ["soon", Promise.resolve(true)],
    ["no", false],
    ["never", Promise.resolve(false)],
    ["one", 1],
    ["object", {}],
    ["nothing", undefined],
    ["null", Promise.resolve(null)],
  ]);
  const users = (user: string, password: string) => {
    asked.push([user, password]);
    return gives.get(user) as boolean;
  };
  const who = identify({ users }, faults);
  const known: string[] = [];
  for (const name of gives.keys()) if (await who(`${name}:p:w`)) known.push(name);
  assertEquals(known, ["yes", "soon"]);
  assertEquals(asked, [...gives.keys()].map((name) => [name, "p:w"]));
  assertEquals(faults.map(String), [
    "TypeError: users() gave number, not a boolean",
    "TypeError: users() gave object, not a boolean",
    "TypeError: users() gave undefined, not a boolean",
    "TypeError: users() gave null, not a boolean",
  ]);
});

Deno.test("mp.basicAuth() lets nobody in whose check fails, and tells the log why", async () => {
  const faults: unknown[] = [];
  const passwords: Record<string, { word: string }> = { ada: { word: "one" } };
  const careless = (user: string, password: string) => passwords[user]!.word === password;
  const later = (user: string, password: string) =>
    Promise.resolve().then(() => careless(user, password));
  for (const users of [careless, later]) {
    const who = identify({ users }, faults);
    assertEquals([await who("ada:one"), await who("eve:one")], ["ada", undefined]);
  }
  assertEquals(faults.map((fault) => fault instanceof TypeError), [true, true]);
});

Deno.test("mp.basicAuth() never calls a function for what cannot be read", async () => {
  const guarded = nowhere(handler, {
    users() {
      throw new Error("called");
    },
  });
  const who = guardOf(guarded)!.open();
  const faults: unknown[] = [];
  for (const header of [undefined, "", "Basic !", basic(":x"), basic("a"), "Bearer x"]) {
    assertEquals(await who(header, (fault) => faults.push(fault)), undefined);
  }
  assertEquals(faults, []);
});

Deno.test("mp.basicAuth() reads a file relative to the script, and the environment's as it is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const file = join(folder, "users");
  await Deno.writeTextFile(file, "ada:{SHA}/gW83NxJKAEngaXxoqd8u1OY4QY=\n");
  try {
    const cases = [
      [{ folder, env: {} }, { users: "users" }],
      [{ folder, env: { MP_AUTH_USERS: "/nope" } }, { users: "./users" }],
      [{ folder: "/nope", env: {} }, { users: file }],
      [{ folder: "/nope", env: { MP_AUTH_USERS: file } }, {}],
      [{ folder: "/nope", env: { MP_AUTH_USERS: file } }, { users: undefined }],
    ] as const;
    for (const [sources, options] of cases) {
      const guarded = basicAuthOf({ ...sources, eager: true })(handler, options);
      const who = guardOf(guarded)!.open();
      const fail = (error: unknown) => {
        throw error;
      };
      assertEquals(await who(basic("ada:one"), fail), "ada");
      assertEquals(await who(basic("ada:two"), fail), undefined);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("mp.basicAuth() without users refuses to let everyone in", () => {
  for (const env of [{}, { MP_AUTH_USERS: "" }, { MP_AUTH_USERS: undefined }]) {
    for (const eager of [true, false]) {
      for (const options of [undefined, {}, { users: undefined }, { realm: "here" }]) {
        const error = assertThrows(
          () => basicAuthOf({ folder: "/", env, eager })(handler, options),
          MpError,
        );
        assertEquals(error.code, "topology_invalid");
        assertEquals(error.message, "Cannot use mp.basicAuth() without users: nobody may call");
        assertStringIncludes(error.next!, "--auth-users FILE");
        assertStringIncludes(error.next!, "MP_AUTH_USERS");
      }
    }
  }
});

Deno.test("mp.basicAuth() reads a file when the script is loaded, and else when it is needed", () => {
  const lazy = basicAuthOf({ folder: "/nowhere", env: {}, eager: false });
  const open = guardOf(lazy(handler, { users: "users" }))!.open;
  for (const read of [() => nowhere(handler, { users: "users" }), open]) {
    const error = assertThrows(read, MpError, "there is no such file");
    assertEquals(error.code, "topology_invalid");
  }
});

Deno.test("mp.basicAuth() can be imported without a deployment, and then lets nobody in", () => {
  const imported = basicAuthOf(undefined);
  for (const options of [undefined, { users: "users.htpasswd" }]) {
    const guarded = imported(handler, options);
    assertEquals(guarded(), 1);
    const error = assertThrows(() => guardOf(guarded)!.open(), MpError);
    assertEquals(error.code, "unsupported");
  }
});

Deno.test("mp.basicAuth() refuses wrong arguments, and shows no password", () => {
  const cases: [unknown, unknown, string][] = [
    [undefined, { users: { a: "b" } }, "the target is undefined, not a function or a pattern"],
    [{}, { users: { a: "b" } }, "the target is object"],
    [handler, null, "its options are no object"],
    [handler, "users", "its options are no object"],
    [handler, { users: null }, "its users are null"],
    [handler, { users: 7 }, "its users are a number"],
    [handler, { users: "" }, "its users are an empty text"],
    [handler, { users: true }, "its users are a boolean"],
    [handler, { users: {} }, "there are no users"],
    [handler, { users: new Map() }, "there are no users"],
    [handler, { users: [] }, "there are no users"],
    [handler, { users: { "": "secret" } }, 'the user "": it is empty'],
    [handler, { users: { "a:b": "secret" } }, 'the user "a:b": it holds a colon'],
    [handler, { users: { "a\nb": "secret" } }, "it holds a control character"],
    [handler, { users: { "\ud800": "secret" } }, "it holds half a character"],
    [handler, { users: { ["a".repeat(513)]: "secret" } }, "it is longer than 512 bytes"],
    [handler, { users: new Map([[7, "secret"]]) }, "it is number, not a string"],
    [handler, { users: { ada: "" } }, 'the user "ada": the password is empty'],
    [handler, { users: { ada: undefined } }, "the password is undefined, not a string"],
    [handler, { users: { ada: null } }, "the password is null, not a string"],
    [handler, { users: { ada: 1234 } }, "the password is number, not a string"],
    [handler, { users: { ada: "secret\n" } }, "it holds a control character"],
    [handler, { users: { a: "b" }, realm: "" }, "its realm is not 1 to 200 characters"],
    [handler, { users: { a: "b" }, realm: 'a"\r\nX: y' }, "its realm is not 1 to 200 characters"],
    [handler, { users: { a: "b" }, realm: 7 }, "its realm is not 1 to 200 characters"],
  ];
  for (const [target, options, message] of cases) {
    const error = assertThrows(
      () => nowhere(target as typeof handler, options as BasicAuthOptions),
      TypeError,
      message,
    );
    assertEquals(/secret|1234/.test(error.message), false);
  }
});
