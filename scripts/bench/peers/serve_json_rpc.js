// An HTTP server as small as Node has it: for peers that bring none of their own.
import { createServer } from "node:http";

/** Answers JSON-RPC calls, and prints its address. */
export function serveJsonRpc(answer) {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const { params, id } = JSON.parse(text);
    const result = await answer(params[0]);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", result, id }));
  });
  server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
}
