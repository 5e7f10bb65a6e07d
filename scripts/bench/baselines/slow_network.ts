// A network on which a round trip takes 1 ms longer, in a process of its own: slow_network.ts PORT
import { startProxy } from "../../../tests/support/servers/tcp_proxy.ts";

const proxy = await startProxy({ port: Number(Deno.args[0]) });
proxy.delay(0.5);
console.log(`http://127.0.0.1:${proxy.port}`);
