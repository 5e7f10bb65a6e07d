// A launcher whose children compute for ever: `orphans_program.ts SOCKET COUNT`. Each child first dials
// SOCKET and tells its process id.
import { dieWithParent } from "../../../runtime/replica/parent_death.ts";

const [socket, count] = Deno.args;
if (count !== undefined) {
  for (let i = 0; i < Number(count); i++) {
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", import.meta.filename!, socket!],
      env: { TEST_PARENT: String(Deno.pid) },
      stdin: "null",
    }).spawn();
  }
} else {
  dieWithParent(Number(Deno.env.get("TEST_PARENT")));
  const conn = await Deno.connect({ transport: "unix", path: socket! });
  await conn.write(new TextEncoder().encode(String(Deno.pid)));
  for (;;);
}
