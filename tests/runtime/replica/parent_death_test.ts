import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";

const onLinux = Deno.build.os === "linux";
const program = new URL("./orphans_program.ts", import.meta.url).pathname;

Deno.test({
  name: "dieWithParent() ends children that compute when their parent is killed",
  ignore: !onLinux,
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/s`;
    const listener = Deno.listen({ transport: "unix", path });
    const launcher = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", program, path, "4"],
      stdin: "null",
    }).spawn();
    const conns: Deno.Conn[] = [];
    const children: number[] = [];
    const buffer = new Uint8Array(16);
    while (conns.length < 4) {
      const conn = await listener.accept();
      const count = await conn.read(buffer);
      children.push(Number(new TextDecoder().decode(buffer.subarray(0, count!))));
      conns.push(conn);
    }
    launcher.kill("SIGKILL");
    await launcher.status;
    try {
      // the kernel closes a process's connections when it ends
      const ends = Promise.all(conns.map((conn) => conn.read(buffer)));
      assertEquals(await deadline(ends, 2_000), [null, null, null, null]);
    } catch (error) {
      for (const child of children) Deno.kill(child, "SIGKILL");
      throw error;
    }
    for (const conn of conns) conn.close();
    listener.close();
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "dieWithParent() ends a child whose parent has ended before",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", program, "/no/socket"],
      // no process has this one
      env: { TEST_PARENT: "4194305" },
    }).output();
    assertEquals(code, 1);
    assertEquals(new TextDecoder().decode(stderr), "");
  },
});
