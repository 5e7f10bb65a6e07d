// Redis as one would use it by hand: redis_load.ts increment|watch|conditional PORT CALLERS SCOPES
import { createClient } from "../../../drivers/storage/redis_library.ts";
import { serveLoad } from "./serve_load.ts";

const [how, port, callerCount, scopeCount] = Deno.args;
const [callers, scopes] = [Number(callerCount), Number(scopeCount)];
const socket = { host: "127.0.0.1", port: Number(port), noDelay: true };

const INCREMENT = "return redis.call('HINCRBY', KEYS[1], 'count', 1)";
const SET_IF = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`;

async function connect() {
  const client = createClient({ socket, RESP: 2 });
  client.on("error", (error: unknown) => console.error(error));
  await client.connect();
  return client;
}

const client = await connect();
const load = (script: string) => client.sendCommand(["SCRIPT", "LOAD", script]);
const [increment, setIf] = [String(await load(INCREMENT)), String(await load(SET_IF))];

if (how === "increment") {
  // one script a call, all callers on one connection
  serveLoad(callers, async () => {
    await client.sendCommand(["EVALSHA", increment, "1", "hot by hand"]);
  });
} else if (how === "watch") {
  // WATCH belongs to a connection, so each caller has its own
  const clients = await Promise.all(Array.from({ length: callers }, connect));
  const key = "hot watched";
  serveLoad(callers, async (caller) => {
    const own = clients[caller]!;
    for (;;) {
      const [, value] = await Promise.all([
        own.sendCommand(["WATCH", key]),
        own.sendCommand(["GET", key]),
      ]);
      const [, , done] = await Promise.all([
        own.sendCommand(["MULTI"]),
        own.sendCommand(["SET", key, String(Number(value ?? 0) + 1)]),
        own.sendCommand(["EXEC"]),
      ]);
      if (done !== null) return;
    }
  });
} else {
  // reads a document, then writes it if it is still the same
  const next = new Array(callers).fill(0);
  for (let i = 0; i < scopes; i++) {
    await client.sendCommand(["SET", `by hand ${i}`, JSON.stringify({ count: 0 })]);
  }
  serveLoad(callers, async (caller) => {
    const key = `by hand ${next[caller]++ % scopes}`;
    for (;;) {
      const text = String(await client.sendCommand(["GET", key]));
      const document = JSON.parse(text);
      document.count++;
      const after = JSON.stringify(document);
      if (await client.sendCommand(["EVALSHA", setIf, "1", key, text, after]) === 1) return;
    }
  });
}
