// Deno.serve alone.
Deno.serve(
  {
    port: 0,
    hostname: "127.0.0.1",
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
  },
  async (request) => {
    const { params, id } = await request.json();
    return Response.json({ jsonrpc: "2.0", result: { "request-was": params[0] }, id });
  },
);
