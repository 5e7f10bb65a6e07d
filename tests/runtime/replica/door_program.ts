// A door that answers with its name: `door_program.ts NAME PORT`. It says what it does on stdout, one line a
// step, and closes when stdin ends.
import { takeOverPort, waitingAt } from "../../../runtime/replica/port_takeover.ts";

const [name, port] = Deno.args;
const hostname = "127.0.0.1";
const server = Deno.serve(
  { hostname, port: Number(port), reusePort: true, onListen() {} },
  () => new Response(name, { headers: { connection: "close" } }),
);
console.log(server.addr.port, takeOverPort(server.addr.port, hostname));
for await (const _ of Deno.stdin.readable);
while (waitingAt(server.addr.port, hostname) > 0) {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await server.shutdown();
