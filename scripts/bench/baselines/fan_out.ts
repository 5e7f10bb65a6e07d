// A hand-written fan-out over ten leaves: over ten open WebSockets, or with `fetch` when told so.
import { histogram, type Sample } from "./histogram.ts";

type Ask = (request: unknown) => Promise<Sample>;

const leaves = await Promise.all(Array.from({ length: 10 }, startLeaf));
const connect: (leaf: { url: string }) => Ask | Promise<Ask> = Deno.args[0] === "fetch"
  ? overFetch
  : overWebSocket;
const asks = await Promise.all(leaves.map(connect));

Deno.serve(
  {
    port: 0,
    hostname: "127.0.0.1",
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
  },
  async (request) => {
    const { params, id } = await request.json();
    const samples = await Promise.all(asks.map((ask) => ask(params[0])));
    return Response.json({ jsonrpc: "2.0", result: histogram(samples), id });
  },
);
Deno.addSignalListener("SIGTERM", () => {
  for (const { child } of leaves) child.kill("SIGKILL");
  Deno.exit();
});

async function startLeaf(): Promise<{ child: Deno.ChildProcess; url: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("./leaf.ts", import.meta.url).pathname],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  return { child, url: value!.trim() };
}

function overWebSocket({ url }: { url: string }): Promise<Ask> {
  const socket = new WebSocket(url.replace("http", "ws"));
  const waiting = new Map<number, (sample: Sample) => void>();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)!(result);
    waiting.delete(id);
  };
  const ask: Ask = (request) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, request }));
    });
  return new Promise((resolve) => socket.onopen = () => resolve(ask));
}

function overFetch({ url }: { url: string }): Ask {
  return async (request) => {
    const response = await fetch(url, { method: "POST", body: JSON.stringify({ id: 1, request }) });
    return (await response.json()).result;
  };
}
