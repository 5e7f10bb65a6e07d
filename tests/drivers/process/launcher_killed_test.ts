import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";

Deno.test({
  name: "no replica outlives a launcher that is killed, even while it computes",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/s`;
    const listener = Deno.listen({ transport: "unix", path });
    const program = new URL("./launcher_program.ts", import.meta.url).pathname;
    const launcher = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--unstable-net", program, path],
      env: { TMPDIR: folder },
      stdin: "null",
    }).spawn();
    const buffer = new Uint8Array(16);
    const conns: Deno.Conn[] = [];
    const pids: number[] = [];
    while (conns.length < 3) {
      const conn = await listener.accept();
      const count = await conn.read(buffer);
      pids.push(Number(new TextDecoder().decode(buffer.subarray(0, count!))));
      conns.push(conn);
    }
    launcher.kill("SIGKILL");
    await launcher.status;
    try {
      // the system closes a process's connections when it ends
      const ends = Promise.all(conns.map((conn) => conn.read(buffer)));
      assertEquals(await deadline(ends, 2_000), [null, null, null]);
    } catch (error) {
      for (const pid of pids) Deno.kill(pid, "SIGKILL");
      throw error;
    }
    for (const conn of conns) conn.close();
    listener.close();
    await Deno.remove(folder, { recursive: true });
  },
});
