// Calls through whole trees: who goes away, what is too much, and what is missing.
import { assert, assertEquals } from "@std/assert";
import type { Context, Gathered } from "../../../mod.ts";
import type { Address } from "../../../runtime/launch/address_book.ts";
import { parseAddress } from "../../../runtime/peer/address.ts";
import { settled } from "../../support/virtual_clock.ts";
import { type Script, Tree } from "./tree.ts";

/** Opens the deployment's own door. */
async function open(tree: Tree): Promise<{ hostname: string; port: number }> {
  const [{ node, address }] = tree.book.doors as [{ node: string; address: Address }];
  const parsed = parseAddress(await tree.replicas.get(`${node}.0`)!.open(address, false));
  if (parsed.transport !== "tcp") throw new Error("a door is a TCP port");
  return parsed;
}

/** Sends a call, and goes away when it is told to. */
async function caller(at: { hostname: string; port: number }, method: string): Promise<Deno.Conn> {
  const conn = await Deno.connect(at);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [1] });
  const head = `POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n`;
  const text = `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  await conn.write(new TextEncoder().encode(text));
  return conn;
}

async function ask(
  { hostname, port }: { hostname: string; port: number },
  method: string,
): Promise<{ status: number; retryAfter: string | null; result?: unknown; code?: string }> {
  const client = Deno.createHttpClient({});
  try {
    const response = await fetch(`http://${hostname}:${port}/`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [1] }),
      client,
    });
    const { result, error } = await response.json();
    const retryAfter = response.headers.get("retry-after");
    return { status: response.status, retryAfter, result, code: error?.data.code };
  } finally {
    client.close();
  }
}

/** Handlers that hang until their callers go away, and what became of them. */
function hanging(count: number) {
  const begun = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const names: string[] = [];
  const reasons: string[] = [];
  const hang = (_request: unknown, { replica, signal }: Context) => {
    signal.addEventListener("abort", () => {
      if (reasons.push(signal.reason.code) === count) aborted.resolve();
    });
    if (names.push(replica.name) === count) begun.resolve();
    return new Promise<string>(() => {});
  };
  return { begun: begun.promise, aborted: aborted.promise, names, reasons, hang };
}

type Hang = ReturnType<typeof hanging>["hang"];

const trees: Record<string, [number, (hang: Hang) => Script]> = {
  "a handler with a door": [1, (hang) => (mp) => {
    mp.service("svc", hang, { expose: true });
  }],
  "a handler behind an ingress": [1, (hang) => (mp) => {
    mp.service("svc", hang, { expose: true, replicas: 2 });
  }],
  "a scatter": [3, (hang) => (mp) => {
    mp.service("svc", mp.scatter(3, hang, (parts) => parts), { expose: true });
  }],
  "a shard of scatters of spreads": [2, (hang) => (mp) => {
    const nested = mp.scatter(2, mp.spread(2, hang), (parts) => parts);
    mp.service("svc", mp.shard(2, () => 1, nested), { expose: true, replicas: 2 });
  }],
  "a handler that calls another service": [1, (hang) => (mp) => {
    const other = mp.service("other", hang);
    mp.service("svc", () => other.call(1), { expose: true });
  }],
};

for (const [what, [count, scriptOf]] of Object.entries(trees)) {
  Deno.test(`a caller that goes away ends all that is done for it: ${what}`, async () => {
    const { begun, aborted, names, reasons, hang } = hanging(count);
    await using tree = await Tree.start(scriptOf(hang));
    const conn = await caller(await open(tree), "svc");
    await begun;
    conn.close();
    await aborted;
    assertEquals(reasons, new Array(count).fill("cancelled"));
    assertEquals(new Set(names).size, count);
    for (const { network, switchboard } of tree.replicas.values()) {
      assert(network);
      while (switchboard.pending > 0) await settled();
    }
  });
}

Deno.test("a part that fails ends what other parts still do for the same call", async () => {
  const { begun, aborted, hang } = hanging(2);
  await using tree = await Tree.start((mp) => {
    const leaf = async (request: unknown, context: Context) => {
      if (context.replica.index < 2) return await hang(request, context);
      await begun;
      throw new Error("no");
    };
    mp.service("svc", mp.scatter(3, leaf, (parts) => parts), { expose: true });
  });
  assertEquals((await ask(await open(tree), "svc")).code, "handler_failed");
  await aborted;
});

Deno.test("a call that is not waited for goes on when its caller has been answered", async () => {
  const done = Promise.withResolvers<string>();
  const go = Promise.withResolvers<void>();
  await using tree = await Tree.start((mp) => {
    const other = mp.service("other", async (_request: unknown, { signal }: Context) => {
      await go.promise;
      return signal.aborted ? "aborted" : "done";
    });
    mp.service("svc", () => {
      other.call(1).then(done.resolve, done.reject);
      return "answered";
    }, { expose: true });
  });
  assertEquals((await ask(await open(tree), "svc")).result, "answered");
  go.resolve();
  assertEquals(await done.promise, "done");
});

Deno.test("service.call() is given up by its own signal", async () => {
  const { begun, aborted, hang } = hanging(1);
  await using tree = await Tree.start((mp) => {
    const other = mp.service("other", hang);
    mp.service("svc", async () => {
      const controller = new AbortController();
      const reply = other.call(1, { signal: controller.signal }).catch((error) => error.code);
      await begun;
      controller.abort();
      return await reply;
    }, { expose: true });
  });
  assertEquals((await ask(await open(tree), "svc")).result, "cancelled");
  await aborted;
});

Deno.test("what leaves are too full for is felt by who calls, at once", async () => {
  const go = Promise.withResolvers<void>();
  let begun = 0;
  await using tree = await Tree.start((mp) => {
    const leaf = async () => {
      begun++;
      await go.promise;
      return "done";
    };
    const limits = { maxConcurrent: 1, maxQueued: 1 };
    const target = mp.spread({ replicas: 2, target: leaf, ...limits });
    mp.service("svc", target, { expose: true, replicas: 2 });
  });
  const at = await open(tree);
  const replies = Array.from({ length: 7 }, () => ask(at, "svc"));
  const refused: Awaited<ReturnType<typeof ask>>[] = [];
  // one runs at each leaf and one waits there; the others are refused while these still wait
  const three = Promise.withResolvers<void>();
  for (const reply of replies) {
    reply.then((answer) => {
      if (answer.code === "overloaded" && refused.push(answer) === 3) three.resolve();
    });
  }
  await three.promise;
  assertEquals(begun, 2);
  for (const { status, retryAfter } of refused) assertEquals([status, retryAfter], [503, "1"]);
  go.resolve();
  const answers = await Promise.all(replies);
  assertEquals(answers.filter(({ result }) => result === "done").length, 4);
  const shed = [...tree.replicas.values()].map(({ metrics }) => metrics.shed);
  assert(shed.reduce((a, b) => a + b) >= 3, `${shed}`);
});

Deno.test("scatter with minParts answers without a leaf that is gone", async () => {
  await using tree = await Tree.start((mp) => {
    const gather = (parts: number[], _request: unknown, { missing }: Gathered) => [
      parts,
      missing.map(({ replica, error }) => [replica, error.code, error.reason]),
    ];
    const leaf = (_request: unknown, { replica }: Context) => replica.index;
    mp.service("svc", mp.scatter({ replicas: 3, leaf, gather, minParts: 2 }), { expose: true });
  });
  const at = await open(tree);
  assertEquals((await ask(at, "svc")).result, [[0, 1, 2], []]);
  tree.replicas.get("svc.scatter.1")!.close();
  const { result } = await ask(at, "svc");
  assertEquals(result, [[0, 2], [["svc.scatter.1", "replica_unreachable", "absent"]]]);
});

Deno.test("a replica that leaves its callers loses none of their calls", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", mp.spread(2, (_request: unknown, { replica }: Context) => replica.name), {
      expose: true,
    });
  });
  const at = await open(tree);
  let calling = true;
  const answers: unknown[] = [];
  const callers = Promise.all(Array.from({ length: 8 }, async () => {
    while (calling) answers.push((await ask(at, "svc")).result);
  }));
  while (new Set(answers).size < 2) await settled();
  const { signal } = new AbortController();
  await tree.replicas.get("svc.compute.1")!.drain({ linger: 0, leave: true }, signal);
  const before = answers.length;
  while (answers.length < before + 20) await settled();
  calling = false;
  await callers;
  assertEquals(answers.filter((name) => typeof name !== "string"), []);
  assertEquals(new Set(answers.slice(-5)), new Set(["svc.compute.0"]));
});

Deno.test("the door and the endpoint for operators tell the same metrics", async () => {
  await using tree = await Tree.start((mp) => {
    mp.service("svc", mp.scatter(2, () => 1, (parts) => parts), { expose: true });
  });
  const at = await open(tree);
  await ask(at, "svc");
  const router = tree.replicas.get("svc.gather.0")!;
  router.openForOperators();
  const { http } = tree.book.replicas.find(({ path }) => path === "svc.gather")!;
  const client = Deno.createHttpClient({
    proxy: { transport: "unix", path: http.slice("unix:".length) },
  });
  try {
    const text = await (await fetch("http://localhost/metrics", { client })).text();
    assert(text.includes('mp_rpc_requests_total{method="svc"} 1'), text);
    assert(text.includes('mp_connections{direction="outbound"} 2'), text);
    assert(text.includes('mp_call_retries_total{path="svc.scatter"} 0'), text);
  } finally {
    client.close();
  }
});
