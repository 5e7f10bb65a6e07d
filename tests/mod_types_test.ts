/**
 * What the types of the scripting API allow. Most of this file is checked by the compiler: a line that
 * is expected to be an error, and is none, fails the check.
 *
 * @module
 */

import { assert, assertThrows } from "@std/assert";
import * as mp from "@metaparticle/mp";

type User = { user: string };
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
type Request<T> = T extends mp.PatternTarget<infer Q, infer _R, infer _N, infer _C> ? Q : never;
type Response<T> = T extends mp.PatternTarget<infer _Q, infer R, infer _N, infer _C> ? R : never;
const holds = <_T extends true>(): void => {};

const leaf = (word: string): number => word.length;
const none = (): number => 7;
const later = (word: string): Promise<number> => Promise.resolve(word.length);
const sum = (parts: number[]): string => parts.join();
const byWord = (word: string): string => word;
const byUser = ({ user }: User): string => user;

Deno.test("mp.scatter() has the request of its leaf and the response of its gather", () => {
  const short = mp.scatter(3, leaf, sum);
  holds<Equal<Request<typeof short>, string>>();
  holds<Equal<Response<typeof short>, string>>();
  const long = mp.scatter({ replicas: 3, leaf, gather: sum, expose: true });
  holds<Equal<typeof long, typeof short>>();
  // promises on either side do not show
  const async = mp.scatter(3, later, (parts) => Promise.resolve(parts));
  holds<Equal<Response<typeof async>, number[]>>();
  // what is not annotated is known from the leaf
  mp.scatter(3, leaf, (parts, word) => parts.map((part) => part.toFixed() + word.trim()));
  mp.scatter({ replicas: 3, leaf, gather: (parts, word) => parts.length + word.length });
  // a leaf without request takes that of the gather
  const byGather = mp.scatter(3, none, (parts: number[], { user }: User) => user + parts.length);
  holds<Equal<Request<typeof byGather>, User>>();

  // @ts-expect-error: gather takes other parts than the leaf gives
  mp.scatter(3, leaf, (parts: string[]) => parts);
  // @ts-expect-error: gather takes another request than the leaf
  mp.scatter(3, leaf, (parts: number[], request: number) => parts.length + request);
  // @ts-expect-error: parts are numbers
  mp.scatter(3, leaf, (parts) => parts.map((part) => part.trim()));
  // @ts-expect-error: the object form too
  mp.scatter({ replicas: 3, leaf, gather: (parts: string[]) => parts });
  assertThrows(
    // @ts-expect-error: no such option
    () => mp.scatter({ replicas: 3, leaf, gather: sum, exposed: true }),
    TypeError,
    'there is no option "exposed"',
  );
  assert(() => {
    // @ts-expect-error: gather is missing
    mp.scatter(3, leaf);
    // @ts-expect-error: gather is missing
    mp.scatter({ replicas: 3, leaf });
    // @ts-expect-error: a number of replicas
    mp.scatter("3", leaf, sum);
  });
});

Deno.test("mp.shard() has the request and response of its target", () => {
  const short = mp.shard(4, byWord, leaf);
  holds<Equal<Request<typeof short>, string>>();
  holds<Equal<Response<typeof short>, number>>();
  const long = mp.shard({ replicas: 4, key: byWord, target: leaf });
  holds<Equal<typeof long, typeof short>>();
  mp.shard(4, (word) => word.trim(), leaf);
  mp.shard({ replicas: 4, key: (word) => word.length, target: leaf });
  mp.shard(4, (word, { deadline }) => word.length + deadline, leaf);
  mp.shard(4, (word) => Promise.resolve(word), leaf);
  const byKey = mp.shard(4, byUser, none);
  holds<Equal<Request<typeof byKey>, User>>();

  // @ts-expect-error: the key is neither number nor string
  mp.shard(4, (word) => [word], leaf);
  // @ts-expect-error: the key takes another request than the target
  mp.shard(4, byUser, leaf);
  // @ts-expect-error: the object form too
  mp.shard({ replicas: 4, key: byUser, target: leaf });
  assert(() => {
    // @ts-expect-error: the target is missing
    mp.shard(4, byWord);
    // @ts-expect-error: the target is no handler
    mp.shard(4, byWord, 7);
  });
});

Deno.test("mp.spread() has the request and response of its target", () => {
  const short = mp.spread(2, later, { strategy: "random" });
  holds<Equal<Request<typeof short>, string>>();
  holds<Equal<Response<typeof short>, number>>();
  const long = mp.spread({ replicas: 2, target: later, strategy: "round-robin", timeout: 5 });
  holds<Equal<typeof long, typeof short>>();
  assert(() => {
    // @ts-expect-error: no such strategy
    mp.spread(2, leaf, { strategy: "fastest" });
    // @ts-expect-error: replicas of the router are an option of mp.service()
    mp.spread(2, leaf, { replicas: 3 });
  });
});

Deno.test("mp.scatter() tells gather what is missing, by minParts", () => {
  const target = mp.scatter({
    replicas: 3,
    leaf,
    minParts: 2,
    gather: (parts, word, { missing }) => {
      const names: string[] = missing.map(({ replica }) => replica);
      const codes: mp.Code[] = missing.map(({ error }) => error.code);
      return [parts.length, word.trim(), names, codes, missing[0]?.index];
    },
  });
  holds<Equal<Request<typeof target>, string>>();
  mp.scatter(
    3,
    leaf,
    (parts: number[], _word: string, gathered: mp.Gathered) =>
      parts.length + gathered.missing.length,
  );
  assert(() => {
    // @ts-expect-error: a number of parts
    mp.scatter({ replicas: 3, leaf, gather: sum, minParts: "most" });
    // @ts-expect-error: only scatter has parts
    mp.spread({ replicas: 3, target: leaf, minParts: 2 });
  });
});

Deno.test("mp.spread() and services can be hedged, and mp.scatter() and mp.shard() cannot", () => {
  const calls = { idempotent: true, retries: 1, maxConcurrent: 5, maxQueued: 0 };
  mp.spread({ replicas: 3, target: leaf, ...calls, hedge: { after: "p95" } });
  mp.spread({ replicas: 3, target: leaf, ...calls, hedge: { after: 20 } });
  mp.scatter({ replicas: 3, leaf, gather: sum, ...calls });
  mp.shard({ replicas: 3, key: byWord, target: leaf, ...calls });
  mp.service("typed-hedge", leaf, { replicas: 2, ...calls, hedge: { after: 20 } });
  assert(() => {
    // @ts-expect-error: no other percentile
    mp.spread({ replicas: 3, target: leaf, hedge: { after: "p99" } });
    // @ts-expect-error: after is missing
    mp.spread({ replicas: 3, target: leaf, hedge: {} });
    // @ts-expect-error: nobody else can answer for a leaf
    mp.scatter({ replicas: 3, leaf, gather: sum, hedge: { after: 20 } });
    // @ts-expect-error: nobody else can answer for a shard
    mp.shard({ replicas: 3, key: byWord, target: leaf, hedge: { after: 20 } });
    // @ts-expect-error: yes or no
    mp.service("typed-idempotent", leaf, { idempotent: "yes" });
  });
});

Deno.test("mp patterns nest with their types", () => {
  const nested = mp.shard(4, byWord, mp.scatter(3, leaf, sum));
  holds<Equal<Request<typeof nested>, string>>();
  holds<Equal<Response<typeof nested>, string>>();
  const deep = mp.scatter(2, mp.spread(2, nested), (parts) => parts.map((part) => part.trim()));
  holds<Equal<Response<typeof deep>, string[]>>();

  // @ts-expect-error: the inner pattern gives strings
  mp.scatter(2, nested, (parts: number[]) => parts);
  // @ts-expect-error: the inner pattern takes words
  mp.shard(2, byUser, nested);
});

Deno.test("Service.subservices are those of the pattern and of what is nested in it", () => {
  const handler = mp.service("handler", leaf);
  const scatter = mp.service("scatter", mp.scatter({ replicas: 3, leaf, gather: sum }));
  const nested = mp.service("nested", mp.shard(4, byWord, mp.scatter(3, leaf, sum)));
  const path: string = nested.subservices.compute.subservices.scatter.path;
  assert(path === "nested.compute.scatter");
  scatter.subservices.gather.expose = true;
  scatter.subservices.scatter.expose = { port: 8080 };
  holds<Equal<keyof typeof nested.subservices, "compute" | "shard">>();
  holds<Equal<keyof typeof handler.subservices, never>>();

  assert(() => {
    // @ts-expect-error: a handler has no subservices
    handler.subservices.gather;
    // @ts-expect-error: scatter has gather and scatter, nothing else
    scatter.subservices.leaf;
    // @ts-expect-error: scatter's leaves are handlers
    scatter.subservices.scatter.subservices.scatter;
    // @ts-expect-error: the router of a nested pattern is the part that hosts it
    nested.subservices.compute.subservices.gather;
    // @ts-expect-error: scatter is nested in compute
    nested.subservices.scatter;
    // @ts-expect-error: a port needs its name
    scatter.expose = 8080;
    // @ts-expect-error: paths follow from names
    scatter.subservices.gather.path = "other";
  });
});

Deno.test("Service.call() takes the service's request and gives its response", () => {
  const word = mp.service("word", leaf);
  const free = mp.service("free", none);
  const optional = mp.service("optional", (word?: string) => word ?? "");
  const nested = mp.service("typed", mp.shard(4, byUser, mp.spread(2, none)));
  const anything = mp.service("anything", (request: unknown) => request);
  // only typed, never called: there is no deployment here
  const calls = async (signal: AbortSignal) => {
    const length: number = await word.call("ada", { timeout: 5, signal });
    const seven: number = await free.call();
    const text: string = await optional.call();
    const typed: number = await nested.call({ user: "ada" });
    holds<Equal<Awaited<ReturnType<typeof anything.call>>, unknown>>();
    await anything.call();
    await free.call(undefined, { timeout: 5 });

    // @ts-expect-error: a request is needed
    await word.call();
    // @ts-expect-error: the request is a string
    await word.call(7);
    // @ts-expect-error: the request has a user
    await nested.call({ name: "ada" });
    // @ts-expect-error: no such option
    await word.call("ada", { timeoutMs: 5 });
    // @ts-expect-error: the response is a number
    const wrong: string = await word.call("ada");
    return [length, seven, text, typed, wrong];
  };
  assert(calls);
});

Deno.test("mp.service() takes handlers and patterns, and the options of every target", () => {
  mp.service("options", leaf, {
    expose: { port: 8080 },
    replicas: 2,
    timeout: 1_000,
    env: { A: "1" },
    resources: { cpu: 0.5, memory: 64 },
  });
  mp.service("context", (word: string, context: mp.Context) => {
    const { service, replica, user, signal, deadline, requestId } = context;
    holds<Equal<typeof replica, mp.ReplicaInfo>>();
    holds<Equal<typeof user, string | undefined>>();
    return [word, service, signal.aborted, deadline, requestId];
  });
  assert(() => {
    // @ts-expect-error: no target
    mp.service("wrong");
    // @ts-expect-error: a target is a function or a pattern
    mp.service("wrong", 7);
    // @ts-expect-error: a name is a string
    mp.service(7, leaf);
    // @ts-expect-error: variables are strings
    mp.service("wrong", leaf, { env: { A: 1 } });
    // @ts-expect-error: no such option
    mp.service("wrong", leaf, { port: 80 });
    // @ts-expect-error: a handler takes a request and a context
    mp.service("wrong", (a: string, b: mp.Context, c: number) => a + b + c);
  });
});

Deno.test("mp.basicAuth() and mp.bearerAuth() keep the type of their target", () => {
  const users = { ada: "lovelace" };
  const handler = mp.basicAuth(leaf, { users });
  holds<Equal<typeof handler, typeof leaf>>();
  const target = mp.shard(4, byWord, mp.scatter(3, leaf, sum));
  const guarded = mp.basicAuth(target, { users: new Map([["ada", "lovelace"]]), realm: "shop" });
  holds<Equal<typeof guarded, typeof target>>();
  const service = mp.service("guarded", guarded);
  holds<Equal<keyof typeof service.subservices, "compute" | "shard">>();
  holds<Equal<Parameters<typeof service.call>[0], string>>();
  holds<Equal<Awaited<ReturnType<typeof service.call>>, string>>();
  // what is not annotated is known
  mp.basicAuth((_request, { user }) => user?.length, { users: (user, word) => user === word });
  mp.bearerAuth((_request, { user }) => user, { verify: (token) => token.slice(1) });
  mp.bearerAuth(leaf, { verify: (token) => Promise.resolve(token || undefined) });
  const tokens = mp.service("tokens", mp.bearerAuth(leaf, { tokens: { abc: "ada" } }));
  holds<Equal<Parameters<typeof tokens.call>[0], string>>();
  assert(() => {
    mp.basicAuth(leaf);
    mp.basicAuth(leaf, { users: "users.htpasswd" });
    // @ts-expect-error: a target is a function or a pattern
    mp.basicAuth(7);
    // @ts-expect-error: passwords are texts
    mp.basicAuth(leaf, { users: { ada: 7 } });
    // @ts-expect-error: no such option
    mp.basicAuth(leaf, { user: users });
    // @ts-expect-error: whose tokens?
    mp.bearerAuth(leaf);
    // @ts-expect-error: a user is a name
    mp.bearerAuth(leaf, { verify: () => 7 });
  });
});

Deno.test("mp.MpError has a literal code", () => {
  const error = new mp.MpError("deadline_exceeded", "Cannot wait");
  holds<Equal<typeof error.code, mp.Code>>();
  assert(() => {
    // @ts-expect-error: no such code
    new mp.MpError("too_late", "Cannot wait");
  });
});
