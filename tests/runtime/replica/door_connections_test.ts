import { assert, assertEquals } from "@std/assert";
import { type DoorConnection, eachConnection } from "../../../runtime/replica/door_connections.ts";
import { needsSystem, testWith } from "../../support/needs.ts";

testWith(
  needsSystem("linux"),
  "eachConnection() finds the connections of one port, and can end them",
  async () => {
    const serve = () =>
      Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("ok"));
    const [server, other] = [serve(), serve()];
    const connect = (to: Deno.HttpServer<Deno.NetAddr>) =>
      Deno.connect({ port: to.addr.port, hostname: "127.0.0.1" });
    const chunk = new Uint8Array(1000);
    const ask = async (conn: Deno.Conn) => {
      await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
      return new TextDecoder().decode(chunk.subarray(0, (await conn.read(chunk))!)).slice(9, 12);
    };
    const [one, two, elsewhere] = [
      await connect(server),
      await connect(server),
      await connect(other),
    ];
    for (const conn of [one, two, elsewhere]) assertEquals(await ask(conn), "200");
    const found: DoorConnection[] = [];
    const first = (one.localAddr as Deno.NetAddr).port;
    eachConnection(server.addr.port, (connection) => {
      found.push(connection);
      if (connection.callerPort === first) connection.end();
    });
    assertEquals(
      found.map(({ callerPort }) => callerPort).sort(),
      [one, two].map(({ localAddr }) => (localAddr as Deno.NetAddr).port).sort(),
    );
    for (const { sent, received } of found) assert(sent <= received && received < 60_000);
    assertEquals(await one.read(chunk), null);
    assertEquals([await ask(two), await ask(elsewhere)], ["200", "200"]);
    for (const conn of [one, two, elsewhere]) conn.close();
    await Promise.all([server.shutdown(), other.shutdown()]);
  },
);
