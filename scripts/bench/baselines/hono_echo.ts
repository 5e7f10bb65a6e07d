// Hono alone, as one writes it by hand.
import { Hono } from "hono";

const app = new Hono();
app.post("/", async (c) => {
  const { params, id } = await c.req.json();
  return c.json({ jsonrpc: "2.0", result: { "request-was": params[0] }, id });
});
Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, app.fetch);
