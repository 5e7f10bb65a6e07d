import { assert, assertEquals, assertMatch, assertNotMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Context } from "../../../mod.ts";
import { MpError } from "../../../runtime/errors.ts";
import type { Address } from "../../../runtime/launch/address_book.ts";
import { base64, basic } from "../auth/headers.ts";
import { RawConnection } from "../rpc/raw_connection.ts";
import { type Script, Tree } from "./tree.ts";

type Headers = Record<string, string>;

const users = { ada: "love:lace", "Éva Ö": "pässword" };
const ada = { authorization: basic("ada:love:lace") };
const userOf = (_request: unknown, { user }: Context) => user ?? null;

/** A tree with its door, and one caller from outside. */
class Guarded implements AsyncDisposable {
  #client = Deno.createHttpClient({});

  private constructor(readonly tree: Tree, readonly address: Address) {}

  static async start(script: Script): Promise<Guarded> {
    const tree = await Tree.start(script);
    const [{ node, address }] = tree.book.doors as [{ node: string; address: Address }];
    return new Guarded(tree, await tree.replicas.get(`${node}.0`)!.open(address, false));
  }

  get port(): number {
    return Number(this.address.split(":").at(-1));
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`http://127.0.0.1:${this.port}${path}`, { ...init, client: this.#client });
  }

  /** Posts calls. */
  async post(calls: unknown, headers: Headers = {}): Promise<Response> {
    const json = { "content-type": "application/json", ...headers };
    return await this.fetch("/", { method: "POST", headers: json, body: JSON.stringify(calls) });
  }

  /** What one call gives: its result, or its error. */
  async call(method: string, headers: Headers = {}): Promise<unknown> {
    const response = await this.post(call(method), headers);
    const { result, error } = await response.json();
    return error === undefined ? result : [response.status, error.code, error.message];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.tree[Symbol.asyncDispose]();
  }
}

const call = (method: string, id: unknown = 1) => ({ jsonrpc: "2.0", id, method });

/** All that a caller sees of a response. */
async function seen(response: Response): Promise<unknown> {
  const { date: _, ...headers } = Object.fromEntries(response.headers);
  return [response.status, headers, await response.text()];
}

Deno.test("Gate answers known users, and tells every replica of the service who they are", async () => {
  await using guarded = await Guarded.start((mp) => {
    const leaf = (_: unknown, { user, replica }: Context) => [user, replica.name];
    const target = mp.shard(
      2,
      (_, { user }) => user!.length,
      mp.scatter(2, leaf, (parts) => parts),
    );
    mp.service("svc", mp.basicAuth(target, { users }), { expose: true });
  });
  assertEquals(await guarded.call("svc", ada), [
    ["ada", "svc.compute.scatter.2"],
    ["ada", "svc.compute.scatter.3"],
  ]);
  const eva = { authorization: basic("Éva Ö:pässword") };
  assertEquals((await guarded.call("svc", eva) as unknown[])[0], [
    "Éva Ö",
    "svc.compute.scatter.2",
  ]);
});

Deno.test("Gate refuses a caller with status 401, a challenge, and a JSON-RPC error", async () => {
  await using guarded = await Guarded.start((mp) => {
    const options = { users, realm: 'the "inner" circle' };
    mp.service("svc", mp.basicAuth(userOf, { users }), { expose: true });
    mp.service("named", mp.basicAuth(userOf, options), { expose: true });
    mp.service("token", mp.bearerAuth(userOf, { tokens: { abc: "ci" } }), { expose: true });
  });
  const expected = (method: string, challenge: string, what: string) => [
    401,
    {
      "content-type": "application/json",
      "www-authenticate": challenge,
    },
    JSON.stringify({
      jsonrpc: "2.0",
      id: "x",
      error: {
        code: -32003,
        message: `Cannot call "${method}": the caller's ${what} missing or wrong`,
        data: { code: "unauthorized", service: method, replica: "ingress.0" },
      },
    }),
  ];
  const refusals = [
    ["svc", 'Basic realm="svc", charset="UTF-8"', "name and password are"],
    ["named", 'Basic realm="the \\"inner\\" circle", charset="UTF-8"', "name and password are"],
    ["token", 'Bearer realm="token"', "token is"],
  ] as const;
  for (const [method, challenge, what] of refusals) {
    const [status, headers, body] = await seen(await guarded.post(call(method, "x"))) as [
      number,
      Headers,
      string,
    ];
    const { "content-length": _, ...others } = headers;
    assertEquals([status, others, body], expected(method, challenge, what));
  }
  assertEquals(await guarded.call("token", { authorization: "bearer abc" }), "ci");
  assertEquals(guarded.tree.faults, []);
});

/** Headers with which nobody gets in. */
const HOSTILE: readonly (string | undefined)[] = [
  undefined,
  "",
  "Basic",
  "Basic !!!",
  "Basic YWRh=OnB3",
  `Basic ${btoa("ada\xff:love:lace")}`,
  basic("ada"),
  basic("ada:"),
  basic(":love:lace"),
  basic("ada:wrong"),
  basic("ada:love:lace "),
  basic("Ada:love:lace"),
  basic("eve:love:lace"),
  basic("eve:wrong"),
  basic("__proto__:x"),
  basic("ada\0:love:lace"),
  basic(`ada:${"x".repeat(5000)}`),
  basic(`${"x".repeat(5000)}:love:lace`),
  `${basic("ada:love:lace")}, ${basic("ada:love:lace")}`,
  `Bearer ${base64("ada:love:lace")}`,
  `Digest username="ada"`,
  "Bearer s3cret",
];

Deno.test("Gate answers every wrong credential in the same words", async () => {
  await using guarded = await Guarded.start((mp) => {
    mp.service("map", mp.basicAuth(userOf, { users }), { expose: true });
    const known = (user: string, password: string) =>
      (users as Record<string, string>)[user]!.length > 0 && password === "love:lace";
    mp.service("function", mp.basicAuth(userOf, { users: known }), { expose: true });
  });
  for (const method of ["map", "function"]) {
    const answers = new Set<string>();
    for (const authorization of HOSTILE) {
      const response = await guarded.post(call(method), authorization ? { authorization } : {});
      answers.add(JSON.stringify(await seen(response)));
    }
    assertEquals(answers.size, 1, [...answers].join("\n"));
    assertMatch([...answers][0]!, /^\[401,/);
  }
  // what the careless function threw is for the log
  assert(guarded.tree.faults.length > 0);
});

Deno.test("Gate takes no one of several headers, and lives with longer ones than it reads", async () => {
  await using guarded = await Guarded.start((mp) => {
    mp.service("svc", mp.basicAuth(userOf, { users }), { expose: true });
  });
  const body = JSON.stringify(call("svc"));
  const statusWith = async (...headers: string[]) => {
    const length = `Content-Length: ${body.length}`;
    const head = ["POST / HTTP/1.1", "Host: x", "Content-Type: application/json", length];
    const text = [...head, ...headers, "", body].join("\r\n");
    using connection = await RawConnection.open(guarded.port);
    await connection.write(Uint8Array.from(text, (character) => character.charCodeAt(0)))
      // what is far too long is refused before it is read
      .catch(() => {});
    return (await connection.response()).status;
  };
  const right = `Authorization: ${ada.authorization}`;
  assertEquals(await statusWith(right), 200);
  for (
    const headers of [
      [right, right],
      [right, "Authorization: Bearer x"],
      ["Authorization: ", right],
      ["Authorization: Basic \xff\xfe"],
      [`Authorization: Basic ${"A".repeat(9_000)}`],
    ]
  ) {
    assertEquals(await statusWith(...headers), 401, headers.join().slice(0, 80));
  }
  // more than the server of Deno reads
  const status = await statusWith(`Authorization: Basic ${"A".repeat(500_000)}`);
  assert(status >= 400 && status < 500, `${status}`);
  assertEquals(await guarded.call("svc", ada), "ada");
});

Deno.test("Gate answers each call of a batch by itself, with status 200", async () => {
  let ran = 0;
  await using guarded = await Guarded.start((mp) => {
    const count = () => ++ran;
    mp.service("svc", mp.basicAuth(count, { users }), { expose: true });
    mp.service("free", userOf, { expose: true });
  });
  const batch = [call("svc", 1), call("free", 2), call("svc", 3), {
    ...call("svc"),
    id: undefined,
  }];
  const response = await guarded.post(batch);
  assertEquals([response.status, response.headers.get("www-authenticate")], [200, null]);
  const replies = await response.json() as { id: number; error?: { code: number } }[];
  assertEquals(replies.map(({ id, error }) => [id, error?.code]), [
    [1, -32003],
    [2, undefined],
    [3, -32003],
  ]);
  assertEquals(ran, 0);
  await (await guarded.post(batch, ada)).body?.cancel();
  assertEquals(ran, 3);
});

Deno.test("Gate refuses a notification with status 401 and no body, and does not run it", async () => {
  let ran = 0;
  await using guarded = await Guarded.start((mp) => {
    const count = () => ++ran;
    mp.service("svc", mp.basicAuth(count, { users }), { expose: true });
  });
  const refused = await guarded.post({ jsonrpc: "2.0", method: "svc" });
  assertEquals([refused.status, await refused.text(), ran], [401, "", 0]);
  assertMatch(refused.headers.get("www-authenticate")!, /^Basic /);
  const taken = await guarded.post({ jsonrpc: "2.0", method: "svc" }, ada);
  assertEquals([taken.status, await taken.text(), ran], [204, "", 1]);
});

Deno.test("Gate asks nobody who calls rpc.discover, another service, or for health and metrics", async () => {
  await using guarded = await Guarded.start((mp) => {
    mp.service("svc", mp.basicAuth(userOf, { users }), { expose: true });
    mp.service("free", userOf, { expose: true });
  });
  for (const headers of [{}, ada, { authorization: "Basic !" }]) {
    const { methods } = await guarded.call("rpc.discover", headers) as { methods: unknown[] };
    assertEquals(methods.length, 2);
    // nobody is asked, so nobody is known
    assertEquals(await guarded.call("free", headers), null);
    for (const path of ["/", "/healthz", "/readyz", "/metrics"]) {
      const response = await guarded.fetch(path, { headers });
      await response.body?.cancel();
      assertEquals(response.status, 200, path);
    }
  }
  assertEquals((await guarded.call("nothing") as unknown[])[1], -32601);
});

Deno.test("Gate stands before every door of a service, and before its exposed parts", async () => {
  await using guarded = await Guarded.start((mp) => {
    const target = mp.basicAuth(mp.spread(2, userOf), { users });
    const svc = mp.service("svc", target, { expose: true });
    svc.subservices.compute.expose = true;
  });
  for (const method of ["svc", "svc.compute"]) {
    assertEquals((await guarded.call(method) as unknown[])[0], 401, method);
    assertEquals(await guarded.call(method, ada), "ada", method);
  }
});

Deno.test("a guarded service hands its caller over to others, and is called for nobody by none", async () => {
  await using guarded = await Guarded.start((mp) => {
    const inner = mp.service("inner", mp.basicAuth(mp.spread(2, userOf), { users }));
    const plain = mp.service("plain", async () => await inner.call(undefined));
    const relay = async () => [await inner.call(undefined), await plain.call()];
    mp.service("outer", mp.basicAuth(relay, { users }), { expose: true });
    mp.service("token", mp.bearerAuth(relay, { tokens: { abc: "ci: 1" } }), { expose: true });
    mp.service("free", relay, { expose: true });
  });
  assertEquals(await guarded.call("outer", ada), ["ada", "ada"]);
  // another gate has let that user in, and that is enough
  assertEquals(await guarded.call("token", { authorization: "Bearer abc" }), ["ci: 1", "ci: 1"]);
  const refused = [200, -32003, 'Cannot call "inner": it is called for no user'];
  assertEquals(await guarded.call("free"), refused);
  assertEquals(await guarded.call("free", ada), refused);
  const error = await assertRejects(() => guarded.tree.call("inner.shard.0"), MpError);
  assertEquals([error.code, error.service, error.reason], ["unauthorized", "inner", "no user"]);
});

Deno.test("no request id makes a user", async () => {
  await using guarded = await Guarded.start((mp) => {
    mp.service("free", mp.spread(2, userOf), { expose: true });
    const inner = mp.service("inner", mp.basicAuth(userOf, { users }));
    mp.service("relay", async () => await inner.call(undefined), { expose: true });
  });
  for (const id of ["x ada", "x\tada", " ada", "x%20ada", "x ada x", "x\u00a0ada", "\t ada"]) {
    const headers = { "x-request-id": id };
    assertEquals(await guarded.call("free", headers), null, id);
    assertEquals((await guarded.call("relay", headers) as unknown[])[1], -32003, id);
  }
});

Deno.test("the endpoint for operators asks for the secret alone", async () => {
  await using guarded = await Guarded.start((mp) => {
    mp.service("svc", mp.basicAuth(mp.spread(1, userOf), { users }), { expose: true });
  });
  const replica = guarded.tree.replicas.get("svc.shard.0")!;
  replica.openForOperators();
  const { http } = guarded.tree.book.replicas.find(({ path }) => path === "svc.shard")!;
  using client = Deno.createHttpClient({
    proxy: { transport: "unix", path: http.slice("unix:".length) },
  });
  const post = async (headers: Headers) => {
    const response = await fetch("http://replica/", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(call("svc.shard")),
      client,
    });
    const { result, error } = await response.json();
    return error?.code ?? result;
  };
  assertEquals(await post({}), -32003);
  assertEquals(await post(ada), -32003);
  assertEquals(await post({ authorization: "Bearer s3cret" }), null);
  const health = await fetch("http://replica/healthz", { client });
  assertEquals(await health.json(), { status: "ok" });
});

Deno.test("users() may call services, and may not make the call a transaction", async () => {
  await using guarded = await Guarded.start((mp) => {
    const passwords = mp.service("passwords", (user: string) => user === "ada" ? "love:lace" : "");
    const asks = async (user: string, password: string) => await passwords.call(user) === password;
    mp.service("asks", mp.basicAuth(userOf, { users: asks }), { expose: true });
    const implicit = (user: string, password: string) =>
      (mp.scope.users as Record<string, string>)[user] === password;
    mp.service("implicit", mp.basicAuth(userOf, { users: implicit }), { expose: true });
    const knows = (_user: string, _password: string) => mp.current().service === "current";
    mp.service("current", mp.basicAuth(userOf, { users: knows }), { expose: true });
  });
  assertEquals(await guarded.call("asks", ada), "ada");
  assertEquals(
    (await guarded.call("asks", { authorization: basic("ada:x") }) as unknown[])[0],
    401,
  );
  assertEquals(await guarded.call("current", ada), "ada");
  assertEquals(guarded.tree.faults, []);
  assertEquals((await guarded.call("implicit", ada) as unknown[])[0], 401);
  const [fault] = guarded.tree.faults as [MpError];
  assertEquals(fault.code, "scope_after_effect");
  assertMatch(fault.message, /^Cannot use mp\.scope\.users: the check of who calls came before/);
});

Deno.test("what users() and verify() throw reaches the log, and no caller", async () => {
  await using guarded = await Guarded.start((mp) => {
    const fails = (user: string) => {
      throw new Error(`no row for ${user} in db.internal`);
    };
    mp.service("basic", mp.basicAuth(userOf, { users: fails }), { expose: true });
    mp.service("bearer", mp.bearerAuth(userOf, { verify: fails }), { expose: true });
  });
  for (
    const [method, headers] of [["basic", ada], ["bearer", {
      authorization: "Bearer abc",
    }]] as const
  ) {
    const response = await guarded.post(call(method), headers);
    assertEquals(response.status, 401);
    assertNotMatch(await response.text(), /row|db\.internal/);
  }
  assertEquals(guarded.tree.faults.map(String), [
    "Error: no row for ada in db.internal",
    "Error: no row for abc in db.internal",
  ]);
});

Deno.test("a users() that never answers leaves its caller with an error in time", async () => {
  await using guarded = await Guarded.start((mp) => {
    const hangs = () => new Promise<boolean>(() => {});
    mp.service("svc", mp.basicAuth(userOf, { users: hangs }), { expose: true, timeout: 40 });
  });
  assertEquals((await guarded.call("svc", ada) as unknown[])[1], -32001);
});

Deno.test("a check that ends after the deadline runs no handler", async () => {
  let ran = 0;
  const hold = Promise.withResolvers<boolean>();
  await using guarded = await Guarded.start((mp) => {
    const count = () => ++ran;
    const options = { users: () => hold.promise };
    mp.service("svc", mp.basicAuth(count, options), { expose: true, timeout: 30 });
  });
  assertEquals((await guarded.call("svc", ada) as unknown[])[1], -32001);
  hold.resolve(true);
  await hold.promise;
  await Promise.resolve();
  assertEquals(ran, 0);
});

Deno.test("Gate answers any header with JSON-RPC", async () => {
  await using guarded = await Guarded.start((mp) => {
    mp.service("svc", mp.basicAuth(userOf, { users }), { expose: true });
    mp.service("token", mp.bearerAuth(userOf, { tokens: { abc: "ci" } }), { expose: true });
  });
  const text = fc.string({ unit: "binary" })
    // without what no header may hold
    .map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, "").trim());
  const header = fc.oneof(
    text,
    text.map((garbage) => `Basic ${garbage}`),
    fc.uint8Array().map((bytes) => `Basic ${btoa(String.fromCharCode(...bytes))}`),
    fc.string().map((pair) => basic(pair)),
    text.map((garbage) => `Bearer x${garbage}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("svc", "token"), header, async (method, authorization) => {
      const response = await guarded.post(call(method), { authorization });
      const { jsonrpc, id, error } = await response.json();
      assertEquals([response.status, jsonrpc, id, error.code], [401, "2.0", 1, -32003]);
    }),
    { numRuns: 300 },
  );
  assertEquals(guarded.tree.faults, []);
});
