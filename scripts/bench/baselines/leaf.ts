// A leaf of the hand-written fan-outs: the same work as examples/histogram.ts, over WebSocket and fetch.
import { sample } from "./histogram.ts";

Deno.serve(
  {
    port: 0,
    hostname: "127.0.0.1",
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
  },
  async (request) => {
    if (request.headers.get("upgrade") !== "websocket") {
      const { id } = await request.json();
      return Response.json({ id, result: sample() });
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      const { id } = JSON.parse(data);
      socket.send(JSON.stringify({ id, result: sample() }));
    };
    return response;
  },
);
