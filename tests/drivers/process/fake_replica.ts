// A replica without a topology: it speaks to its supervisor as a real one does, and does what FAKE_* say.
// Whatever it is told goes to stdout. Its doors answer with its revision.
import { MpError } from "../../../runtime/errors.ts";
import type { Address } from "../../../runtime/launch/address_book.ts";
import { dial, listen, parseAddress } from "../../../runtime/peer/address.ts";
import { Channel } from "../../../runtime/peer/channel.ts";
import { dieWithParent } from "../../../runtime/replica/parent_death.ts";
import { takeOverPort, waitingAt } from "../../../runtime/replica/port_takeover.ts";
import type { SupervisorCalls } from "../../../runtime/replica/supervision.ts";

const env = Deno.env.toObject();
const name = env.MP_REPLICA!;
dieWithParent(Number(env.MP_PARENT_PID));
Deno.addSignalListener("SIGINT", () => {});

/** Fails as often as FAKE_CRASHES says, counted in a file. */
function crashes(): boolean {
  if (env.FAKE_CRASHES === undefined) return false;
  const counter = `${env.FAKE_COUNTER}-${name}`;
  let count = 0;
  try {
    count = Deno.readTextFileSync(counter).length;
  } catch {
    // the first time
  }
  if (count >= Number(env.FAKE_CRASHES)) return false;
  Deno.writeTextFileSync(counter, ".", { append: true });
  return true;
}

if (crashes()) {
  console.error("about to fail\nnothing helps");
  Deno.exit(3);
}

const drained = Promise.withResolvers<void>();
const servers: Deno.HttpServer<Deno.NetAddr>[] = [];

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/hold") {
    console.log("holding");
    await drained.promise;
  }
  if (pathname === "/spin") {
    console.log("spinning");
    for (;;);
  }
  if (pathname === "/compute") {
    for (
      const end = performance.now() + 300;
      performance.now() < end;
    );
  }
  return new Response(env.MP_REVISION);
}

const calls = {
  book({ generation, replicas }: SupervisorCalls["book"]["request"]) {
    console.log(`book ${generation}: ${replicas.length}`);
    return null;
  },
  up(names: SupervisorCalls["up"]["request"]) {
    for (const other of names) console.log(`up ${other}`);
    return null;
  },
  listen({ address, takeOver }: SupervisorCalls["listen"]["request"]) {
    const at = parseAddress(address) as { hostname: string; port: number };
    const reusePort = Deno.build.os === "linux" && env.FAKE_SHARES_PORT !== "no";
    try {
      servers.push(Deno.serve({ ...at, reusePort, onListen() {} }, answer));
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      throw new MpError("port_in_use", "the port is in use");
    }
    if (takeOver) takeOverPort(at.port, at.hostname);
    return { address };
  },
  async drain({ linger = 0 }: SupervisorCalls["drain"]["request"]) {
    console.log("drain");
    if (env.FAKE_DRAIN === "never") await new Promise(() => {});
    drained.resolve();
    if (linger > 0) await new Promise((resolve) => setTimeout(resolve, linger));
    for (const { addr } of servers) {
      while (waitingAt(addr.port, addr.hostname) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    await Promise.all(servers.map((server) => server.shutdown()));
    setTimeout(() => Deno.exit(0), 0);
    return null;
  },
};

const secret = Deno.readTextFileSync(env.MP_SECRET_FILE!);
const channel = new Channel(await dial(env.MP_SUPERVISOR as Address), {
  async onCall(target, body) {
    const call = calls[target as keyof typeof calls] as (request: unknown) => unknown;
    return JSON.stringify(await call(JSON.parse(body)));
  },
});
channel.notify("hello", JSON.stringify({ replica: name, pid: Deno.pid, secret }));

if (env.FAKE_FAILS !== undefined) {
  channel.notify("failed", env.FAKE_FAILS);
  await channel.flush();
  Deno.exit(1);
}
if (env.FAKE_SPINS !== undefined) {
  // who wants to know when this process ends gives a socket
  if (env.FAKE_SPINS !== "") {
    const conn = await Deno.connect({ transport: "unix", path: env.FAKE_SPINS });
    await conn.write(new TextEncoder().encode(String(Deno.pid)));
  }
  for (;;);
}
const book = JSON.parse(Deno.readTextFileSync(env.MP_BOOK!));
const own = book.replicas.find((replica: { path: string; index: number }) =>
  `${replica.path}.${replica.index}` === name
);
listen(own.peer);
console.log(`ready in ${Deno.cwd()} with ${env.GREETING ?? "nothing"}`);
if (env.FAKE_NEVER_READY === undefined) channel.notify("ready", "{}");
