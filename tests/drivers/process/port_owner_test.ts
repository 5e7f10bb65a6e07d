import { assertEquals, assertStringIncludes } from "@std/assert";
import { portOwner } from "../../../drivers/process/port_owner.ts";

const ignore = Deno.build.os !== "linux";

for (const hostname of ["127.0.0.1", "::1", "0.0.0.0"]) {
  Deno.test({
    name: `portOwner() finds who listens on ${hostname}`,
    ignore,
    async fn() {
      using listener = Deno.listen({ hostname, port: 0 });
      const owner = await portOwner((listener.addr as Deno.NetAddr).port);
      assertEquals(owner?.pid, Deno.pid);
      assertStringIncludes(owner!.command, "deno");
    },
  });
}

Deno.test("portOwner() knows nobody for a port that is free", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  assertEquals(await portOwner(port), undefined);
});
