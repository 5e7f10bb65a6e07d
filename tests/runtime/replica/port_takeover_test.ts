import { assert, assertEquals, assertGreater } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { takeOverPort, waitingAt } from "../../../runtime/replica/port_takeover.ts";

const program = new URL("./door_program.ts", import.meta.url).pathname;
const onLinux = Deno.build.os === "linux";

/** A door in a process of its own. */
async function openDoor(name: string, port: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, name, String(port)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const reader = lines.getReader();
  const [listening, taken] = (await reader.read()).value!.split(" ");
  return {
    port: Number(listening),
    taken: taken === "true",
    async close() {
      await child.stdin.close();
      await reader.read();
      assertEquals((await child.status).code, 0);
    },
  };
}

/** One connection, one request; which door answered. */
async function ask(port: number): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  const text = new TextDecoder().decode((await conn.readable.getReader().read()).value);
  const [head = "", body = ""] = text.split("\r\n\r\n");
  assert(head.startsWith("HTTP/1.1 200 "), text);
  return body;
}

Deno.test({
  name: "takeOverPort() moves a port under load, twice, and no connection is refused or reset",
  ignore: !onLinux,
  async fn() {
    const first = await openDoor("first", 0);
    const { port } = first;
    const answers: string[] = [];
    let storm = true;
    const callers = Array.from({ length: 8 }, async () => {
      while (storm) answers.push(await ask(port));
    });
    try {
      let old = first;
      for (const name of ["second", "third"]) {
        const next = await openDoor(name, port);
        assert(next.taken);
        // every connection that is made from now on comes to the new door
        for (let i = 0; i < 50; i++) assertEquals(await ask(port), name);
        await old.close();
        for (let i = 0; i < 50; i++) assertEquals(await ask(port), name);
        old = next;
      }
      storm = false;
      await Promise.all(callers);
      await old.close();
    } finally {
      storm = false;
    }
    for (const name of ["first", "second", "third"]) {
      assertGreater(answers.filter((answer) => answer === name).length, 0);
    }
  },
});

Deno.test("takeOverPort() returns false for a port at which this process does not listen", () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  assertEquals(takeOverPort(port, "127.0.0.1"), false);
});

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test({
    name: `waitingAt() counts the connections at ${hostname} that are not accepted yet`,
    ignore: !onLinux,
    async fn() {
      const listener = Deno.listen({ hostname, port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      assertEquals(waitingAt(port, hostname), 0);
      const conns = [
        await Deno.connect({ hostname, port }),
        await Deno.connect({ hostname, port }),
      ];
      assertEquals(waitingAt(port, hostname), 2);
      conns.push(await listener.accept());
      assertEquals(waitingAt(port, hostname), 1);
      for (const conn of conns) conn.close();
      listener.close();
    },
  });
}
