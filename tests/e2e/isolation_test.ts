// Who can reach what: only the door listens where others can reach it, and nothing inside answers strangers.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { MpError } from "../../runtime/errors.ts";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import { dial } from "../../runtime/peer/address.ts";
import { Channel } from "../../runtime/peer/channel.ts";
import { deadlines } from "../../runtime/peer/deadlines.ts";
import { type Hello, introduce } from "../../runtime/peer/handshake.ts";
import { needsSystem, testWith } from "../support/needs.ts";
import { APP, launch, type Launched } from "./launched.ts";

const nested = `
const leaf = (_: unknown, { replica }: mp.Context) => replica.name;
mp.service("all", mp.scatter(2, leaf, (parts) => parts), { expose: true });
mp.service("inner", leaf);
`;

interface Inside {
  /** The private folder of the tree of replicas. */
  readonly folder: string;
  readonly book: AddressBook;
  readonly secret: string;
}

async function inside({ sandbox }: Launched): Promise<Inside> {
  const temporary = join(sandbox.folder, "tmp");
  const names = (await Array.fromAsync(Deno.readDir(temporary))).map(({ name }) => name);
  const folder = join(temporary, names.find((name) => name.startsWith("mp-tree-"))!);
  return {
    folder,
    book: JSON.parse(await Deno.readTextFile(join(folder, "book.json"))),
    secret: await Deno.readTextFile(join(folder, "secret")),
  };
}

testWith(
  needsSystem("linux", "darwin"),
  "replicas talk to nobody who does not hold the secret",
  async () => {
    await using launched = await launch(nested);
    const { book, secret } = await inside(launched);
    const { revision } = book;
    assertEquals(book.replicas.length, 4);
    for (const { path, index, peer } of book.replicas) {
      const name = `${path}.${index}`;
      const call = async (hello: Partial<Hello>) => {
        const channel = await introduce(
          await dial(peer),
          { secret, revision, from: "all.gather.0", as: "service", ...hello },
          { name, onClose() {} },
        );
        try {
          return JSON.parse(await channel.call("", "", { timeout: 10_000 }));
        } finally {
          channel.close();
        }
      };
      for (const wrong of ["", "guessed", secret.slice(1), `${secret}0`]) {
        const error = await assertRejects(() => call({ secret: wrong }), MpError);
        assertEquals(error.code, "unauthorized");
      }
      const error = await assertRejects(() => call({ revision: "another" }), MpError);
      assertEquals(error.code, "revision_mismatch");
      const silent = new Channel(await dial(peer), {}, { name });
      const refused = await assertRejects(() => silent.call("", "", { timeout: 10_000 }), MpError);
      assertEquals(refused.code, "unauthorized");
      silent.close();
      // whoever belongs here is answered
      assertEquals(
        await call({}),
        path === "all.gather" ? ["all.scatter.0", "all.scatter.1"] : name,
      );
    }
    deadlines.settle();
  },
);

/** Resolves when somebody listens at a Unix socket, which its file alone does not tell. */
async function untilAnswered(path: string): Promise<void> {
  for (let patience = 1000;; patience--) {
    try {
      return (await Deno.connect({ transport: "unix", path })).close();
    } catch (error) {
      if (patience === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Sends a request over a Unix socket, and returns the whole response. */
async function request(path: string, head: string, body = ""): Promise<string> {
  const conn = await Deno.connect({ transport: "unix", path });
  const fields = `host: x\r\nconnection: close\r\ncontent-length: ${body.length}`;
  await conn.write(new TextEncoder().encode(`${head}\r\n${fields}\r\n\r\n${body}`));
  return await new Response(conn.readable).text();
}

testWith(
  needsSystem("linux", "darwin"),
  "operators see health and metrics, and call nothing without the secret",
  async () => {
    await using launched = await launch(nested);
    const { book, secret } = await inside(launched);
    for (const { path, http } of book.replicas) {
      const socket = http.slice("unix:".length);
      await untilAnswered(socket);
      assertMatch(await request(socket, "GET /healthz HTTP/1.1"), /^HTTP\/1.1 200 /);
      assertMatch(await request(socket, "GET /metrics HTTP/1.1"), /^HTTP\/1.1 200 /);
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: path });
      const call = (...fields: string[]) =>
        request(
          socket,
          ["POST / HTTP/1.1", "content-type: application/json", ...fields].join("\r\n"),
          body,
        );
      for (const fields of [[], ["authorization: Bearer guessed"], [`authorization: ${secret}`]]) {
        const response = await call(...fields);
        assertMatch(response, /^HTTP\/1.1 401 /);
        assertMatch(response, /"unauthorized"/);
        assert(!response.includes("result"), response);
      }
      if (path === "ingress") continue;
      assertMatch(
        await call(`authorization: Bearer ${secret}`),
        /"result":.*all\.scatter|"inner.0"/,
      );
    }
  },
);

/** The addresses at which processes listen for TCP, as \`/proc/net/tcp\` writes them. */
async function listening(pids: readonly number[]): Promise<{ pid: number; address: string }[]> {
  const addresses = new Map<string, string>();
  for (const table of ["tcp", "tcp6"]) {
    for (const line of (await Deno.readTextFile(`/proc/net/${table}`)).split("\n")) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === "0A") addresses.set(`socket:[${inode}]`, local!);
    }
  }
  const found: { pid: number; address: string }[] = [];
  for (const pid of pids) {
    const links = new Set<string>();
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      links.add(await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => ""));
    }
    for (const link of links) {
      const address = addresses.get(link);
      if (address !== undefined) found.push({ pid, address });
    }
  }
  return found;
}

testWith(
  needsSystem("linux"),
  "only the door listens on TCP, and only for this machine",
  async () => {
    await using launched = await launch(nested);
    const pids = (await launched.sandbox.processes()).map(({ pid }) => pid);
    assertEquals(pids.length, 5);
    const port = Number(new URL(launched.url).port).toString(16).toUpperCase().padStart(4, "0");
    // 127.0.0.1, as the kernel writes it
    const door = { pid: await launched.pidOf("all.gather.0"), address: `0100007F:${port}` };
    assertEquals(await listening(pids), [door]);
  },
);

testWith(
  needsSystem("linux", "darwin"),
  "what is secret can be read by its user alone",
  async () => {
    await using launched = await launch(nested);
    const { sandbox } = launched;
    const { folder, secret } = await inside(launched);
    const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o777;
    assertEquals(await mode(folder), 0o700);
    assertEquals(await mode(join(folder, "secret")), 0o600);
    const state = join(sandbox.folder, "state", "mp", APP);
    assertEquals(await mode(state), 0o700);
    assertEquals(await mode(join(state, "deployment.json")), 0o600);
    // command lines can be read by everybody
    for (const { command } of await sandbox.processes()) assert(!command.includes(secret));
  },
);
